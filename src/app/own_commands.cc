#include "app/own_commands.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "app/cli_globals.h"
#include "app/tasks_command.h"

namespace nl::app {

const std::vector<OwnCommand>& own_commands() {
  static const std::vector<OwnCommand> kCommands = {
      {"tasks", "The tasks that must not stop: tried locally, compared with the cloud", tasks},
  };
  return kCommands;
}

std::optional<int> parse_own(CLI::App& app, CliOptions& options) {
  std::string level = "info";
  add_global_options(app, options, level);
  try {
    app.parse(std::vector<std::string>(options.rest.rbegin(), options.rest.rend()));
  } catch (const CLI::CallForHelp&) {
    const auto chosen = app.get_subcommands();
    fmt::print("{}", chosen.empty() ? app.help() : chosen.front()->help());
    return 0;
  } catch (const CLI::ParseError& error) {
    fmt::print(stderr, "nightlight: {}; `{} --help` shows how\n", error.what(), app.get_name());
    return 2;
  }
  options.level = level_named(level);
  return std::nullopt;
}

}  // namespace nl::app
