#include <fmt/format.h>

#include "app/config_parse.h"

namespace nl::app {
namespace {

constexpr double kContextMost = 4'194'304;
constexpr double kSlotsMost = 16;

// "auto", "ember", or a file that the engine can read.
void parse_model(const Located& written, TableReader& reader, Parsing& parsing) {
  EngineConfig& engine = parsing.config.engine;
  if (written.text == "auto" || written.text == "ember") {
    engine.model = written.text;
    return;
  }
  const bool is_path =
      written.text.find('/') != std::string::npos || written.text.ends_with(".gguf");
  const auto path = absolute_path(written.text, parsing.environment);
  if (!is_path || !path) {
    reader.mistake(written.place, "model", is_path ? path.error().message : "is no model",
                   "write \"auto\", \"ember\" or the whole path of a GGUF file");
    return;
  }
  engine.model = *path;
}

}  // namespace

void parse_engine(TableReader& top, Parsing& parsing) {
  const toml::table* table = top.table("engine");
  if (table == nullptr) return;
  TableReader reader(*table, "[engine]", parsing.mistakes);
  EngineConfig& engine = parsing.config.engine;
  if (const auto model = reader.text("model")) parse_model(*model, reader, parsing);
  if (const auto start = reader.word("start", {"eager", "on-demand"})) {
    engine.start = static_cast<EngineStart>(*start);
  }
  if (const auto tokens = reader.whole("context", {8192, kContextMost}, "tokens")) {
    engine.context_tokens = *tokens;
  }
  if (const auto slots = reader.whole("slots", {1, kSlotsMost}, "conversations")) {
    engine.slots = static_cast<int>(*slots);
  }
  if (const auto server = reader.text("server")) {
    const auto path = absolute_path(server->text, parsing.environment);
    if (path) {
      engine.server = *path;
    } else {
      reader.mistake(server->place, "server", path.error().message,
                     "write the whole path of a llama-server");
    }
  }
  reader.finish();
}

}  // namespace nl::app
