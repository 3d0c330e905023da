#include "app/standby_link.h"

#include <string>
#include <utility>

namespace nl::app {
namespace {

// Titles and the like: single questions that nobody goes on with.
constexpr std::string_view kBackground = "background_utility";
constexpr std::size_t kBodyBytesMax = 16u << 20;
constexpr std::size_t kClientBytesMax = 40;

class LocalRenderer final : public standby::Renderer {
 public:
  explicit LocalRenderer(gateway::LocalAim aim) : aim_(std::move(aim)) {}
  Result<std::string> render(const chat::Request& request) const override {
    return aim_.read_ahead(request);
  }

 private:
  const gateway::LocalAim aim_;
};

}  // namespace

bool StandbyLink::is_mine(const gateway::SeenTurn& turn) const {
  return turn.local != nullptr && turn.local->provider() == standby_.target() &&
         turn.label != kBackground && turn.body.size() <= kBodyBytesMax;
}

void StandbyLink::began(const gateway::SeenTurn& turn) {
  if (!is_mine(turn)) return;
  standby::SeenTurn seen;
  seen.id = turn.id;
  seen.conversation = turn.conversation;
  seen.client = turn.client.substr(0, std::min(turn.client.find(' '), kClientBytesMax));
  seen.body = turn.body;
  seen.dialect = turn.dialect;
  seen.renderer = std::make_shared<LocalRenderer>(*turn.local);
  standby_.turn_began(std::move(seen));
}

void StandbyLink::answered(const gateway::SeenTurn& turn, gateway::SeenAnswer answer) {
  if (answer.local) {
    standby_.local_answered(answer.usage.input_total(), answer.usage.cache_read.value_or(0));
  }
  if (is_mine(turn)) standby_.turn_answered(std::string(turn.id), std::move(answer.answer));
}

std::optional<standby::Target> standby_target(const Routing& routing) {
  const auto& specs = routing.policy.tiers[static_cast<std::size_t>(router::Tier::local)];
  for (const router::TargetSpec& spec : specs) {
    if (spec.tier) continue;
    const router::ProviderFacts& facts = routing.policy.providers[spec.provider];
    const bool reads_ahead = facts.name == "engine" ||
                             routing.settings[spec.provider].dialect == dialect::DialectId::ollama;
    if (facts.local && !facts.self_test && reads_ahead) {
      standby::Target target;
      target.setting = routing.settings[spec.provider];
      return target;
    }
  }
  return std::nullopt;
}

standby::StandbyOptions standby_options(const config::StandbyConfig& config) {
  standby::StandbyOptions options;
  switch (config.enabled) {
    case config::StandbyEnabled::automatic:
      options.mode = standby::Mode::automatic;
      break;
    case config::StandbyEnabled::on:
      options.mode = standby::Mode::on;
      break;
    case config::StandbyEnabled::off:
      options.mode = standby::Mode::off;
      break;
  }
  options.book.conversations_max = static_cast<std::size_t>(config.conversations);
  options.book.idle_max = config.idle;
  options.load_max = config.load_max;
  return options;
}

}  // namespace nl::app
