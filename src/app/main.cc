// The program: reads the command line and hands over to one command.
#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <system_error>
#include <variant>
#include <vector>

#include "app/cli.h"
#include "app/drill_command.h"
#include "app/models_command.h"
#include "app/own_commands.h"
#include "app/plan_view.h"
#include "app/profiles.h"
#include "app/pull_command.h"
#include "app/report.h"
#include "app/restart.h"
#include "app/run_client.h"
#include "app/serve.h"
#include "app/status_text.h"
#include "app/task_floors.h"

namespace nl::app {
namespace {

int complain(const Error& error) {
  fmt::print(stderr, "nightlight: {}\n", error.message);
  return 2;
}

int check(const CliOptions& options, const config::Config& config, const Environment& environment) {
  const models::EngineChoice engine =
      models::choose_engine(config.engine, environment, models::program_folder());
  Routing routing = make_routing(config, &engine);
  if (const std::string trouble = add_task_floors(routing, config); !trouble.empty()) {
    fmt::print(stderr, "nightlight: {}\n", trouble);
  }
  if (config.uses_engine() && !engine.trouble.empty()) {
    fmt::print(stderr, "nightlight: {}\n", engine.trouble);
  }
  for (const std::string& warning : load_profiles(environment).warnings) {
    fmt::print(stderr, "nightlight: {}\n", warning);
  }
  fmt::print("{}",
             options.form == Form::json ? plan_json(config, routing) : plan_text(config, routing));
  return 0;
}

int run(const CliOptions& options, const Environment& environment) {
  const auto config = config::load_config(options.config, environment);
  RunSetup setup{options, environment, nullptr, ""};
  if (config) {
    setup.config = &*config;
  } else {
    setup.trouble = config.error().message;
  }
  return run_client(setup);
}

int own(const CliOptions& options, const Environment& environment) {
  for (const OwnCommand& command : own_commands()) {
    if (options.subject == command.name) return command.run(options, environment);
  }
  return 2;
}

int dispatch(const CliOptions& options) {
  if (options.command == Command::up) return serve(options);
  if (options.command == Command::check && options.form == Form::defaults) {
    fmt::print("{}", config::default_settings());
    return 0;
  }
  if (options.command == Command::check && options.form == Form::profiles) {
    fmt::print("{}", built_in_profiles());
    return 0;
  }
  const Environment environment = Environment::of_process();
  if (options.command == Command::run) return run(options, environment);
  if (options.command == Command::drill) return drill(options, environment);
  if (options.command == Command::models) return list_models(options, environment);
  if (options.command == Command::rm) return remove_model(options, environment);
  if (options.command == Command::own) return own(options, environment);
  const auto config = config::load_config(options.config, environment);
  if (!config) return complain(config.error());
  switch (options.command) {
    case Command::up:
    case Command::run:
    case Command::drill:
    case Command::models:
    case Command::rm:
    case Command::own:
      break;
    case Command::restart:
      return restart(options, *config);
    case Command::check:
      return check(options, *config, environment);
    case Command::status:
      return status(options, *config);
    case Command::why:
      return why(options, *config);
    case Command::report:
      return report(options, *config);
    case Command::pull:
      return pull(options, *config, environment);
    case Command::show:
      return show_model(options, *config, environment);
  }
  return 2;
}

// What was printed has to have arrived: a full disk is no success.
int written(int status) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return status;
  std::fputs("nightlight: the output could not be written\n", stderr);
  return status == 0 ? 1 : status;
}

}  // namespace
}  // namespace nl::app

int main(int argc, char** argv) {
  const auto parsed = nl::app::parse_cli(std::vector<std::string>(argv, argv + argc));
  if (const auto* text = std::get_if<nl::app::CliText>(&parsed)) {
    std::fputs(text->text.c_str(), text->status == 0 ? stdout : stderr);
    return text->status;
  }
  try {
    return nl::app::written(nl::app::dispatch(std::get<nl::app::CliOptions>(parsed)));
  } catch (const std::system_error& error) {
    // fmt::print says so when a write fails.
    if (std::ferror(stdout) == 0) std::fprintf(stderr, "nightlight: %s\n", error.what());
    return nl::app::written(1);
  }
}
