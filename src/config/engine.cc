#include <fmt/format.h>

#include "config/parse.h"
#include "engine/model_name.h"

namespace nl::config {
namespace {

constexpr double kContextMost = 4'194'304;
constexpr double kSlotsMost = 16;

// "auto", "ember", the name of a pulled model, or a file that the engine can read.
void parse_model(const Located& written, TableReader& reader, Parsing& parsing) {
  EngineConfig& settings = parsing.config.engine;
  if (written.text == "auto" || written.text == "ember") {
    settings.model = written.text;
    return;
  }
  constexpr const char* kAdvice =
      "write \"auto\", \"ember\", a pulled name as \"gemma4:26b\" or the whole path of a GGUF file";
  if (engine::is_model_path(written.text)) {
    const auto path = absolute_path(written.text, parsing.environment);
    if (path) {
      settings.model = *path;
    } else {
      reader.mistake(written.place, "model", path.error().message, kAdvice);
    }
    return;
  }
  const auto name = engine::parse_model_name(written.text);
  // A word alone is a slip more often than a name whose tag was left out.
  const bool tagged = written.text.find(':') != std::string::npos;
  if (name && tagged) {
    settings.model = name->text();
  } else {
    reader.mistake(written.place, "model", name ? "is no model" : name.error().message, kAdvice);
  }
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

void parse_local(TableReader& top, Parsing& parsing) {
  const toml::table* table = top.table("local");
  if (table == nullptr) return;
  TableReader reader(*table, "[local]", parsing.mistakes);
  LocalConfig& local = parsing.config.local;
  if (const auto profile = reader.word("profile", {"auto", "off"})) local.profile = *profile == 0;
  if (const auto fit = reader.word("fit", {"auto", "off"})) local.fit = *fit == 0;
  reader.finish();
}

}  // namespace nl::config
