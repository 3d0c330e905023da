#include "app/drill_command.h"

#include <algorithm>
#include <string>

#include "base/process.h"
#include "drill/drill.h"
#include "models/engine_choice.h"

namespace nl::app {
namespace {

// What is missing for the local tier, or nothing.
std::string engine_trouble(const Environment& environment) {
  config::EngineConfig config;
  config.model = "ember";
  const models::EngineChoice choice =
      models::choose_engine(config, environment, models::program_folder());
  const bool has_program =
      std::any_of(choice.wanted.programs.begin(), choice.wanted.programs.end(),
                  [](const std::string& path) { return find_program(path, "").has_value(); });
  if (!has_program) {
    return "the local engine is not there, and it is half of the drill: run `make engine` once, or "
           "set NIGHTLIGHT_LLAMA_SERVER to a llama-server";
  }
  return choice.trouble;
}

}  // namespace

int drill(const CliOptions& options, const Environment& environment) {
  return drill::drill(options.drill, environment,
                      [&environment] { return engine_trouble(environment); });
}

}  // namespace nl::app
