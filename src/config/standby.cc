#include <chrono>

#include "config/parse.h"

namespace nl::config {
namespace {

constexpr double kConversationsMost = 32;
constexpr double kIdleMinutesMost = 24 * 60;
constexpr double kLoadMost = 100;

}  // namespace

void parse_standby(TableReader& top, Parsing& parsing) {
  const toml::table* table = top.table("standby");
  if (table == nullptr) return;
  TableReader reader(*table, "[standby]", parsing.mistakes);
  StandbyConfig& standby = parsing.config.standby;
  if (const auto word = reader.word("enabled", {"auto", "on", "off"})) {
    standby.enabled = static_cast<StandbyEnabled>(*word);
  }
  if (const auto most = reader.whole("conversations", {1, kConversationsMost}, "conversations")) {
    standby.conversations = static_cast<int>(*most);
  }
  if (const auto minutes = reader.number("idle_minutes", {1, kIdleMinutesMost}, "minutes")) {
    standby.idle = std::chrono::duration_cast<Duration>(
        std::chrono::duration<double, std::ratio<60>>(*minutes));
  }
  if (const auto load = reader.number("load_max", {0, kLoadMost}, "processes per core")) {
    standby.load_max = *load;
  }
  reader.finish();
}

}  // namespace nl::config
