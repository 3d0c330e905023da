#include "app/own_commands.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "app/ask_command.h"
#include "app/autostart_command.h"
#include "app/cheatsheet_command.h"
#include "app/cli_globals.h"
#include "app/completions_command.h"
#include "app/connect_command.h"
#include "app/doctor_command.h"
#include "app/plan_command.h"
#include "app/tasks_command.h"

namespace nl::app {

const std::vector<OwnCommand>& own_commands() {
  static const std::vector<OwnCommand> kCommands = {
      {"plan", "the first thirty minutes, one step after the other", plan_command},
      {"ask", "ask about files, a pipe or a folder; recipes for summaries, reviews, research",
       ask_command},
      {"tasks", "the tasks that must not stop: tried locally, compared with the cloud", tasks},
      {"cheatsheet", "one page for this machine: sizes, scores, tiers, tasks, commands",
       cheatsheet},
      {"doctor", "look for what would keep the light off; each finding with its fix", doctor},
      {"connect", "point a client at the gateway for good; without a name list what is here",
       connect_command},
      {"disconnect", "take back what connect has changed", disconnect_command},
      {"autostart", "keep the gateway running as a service of yours", autostart_command},
      {"completions", "print what makes a shell complete these commands", completions_command},
  };
  return kCommands;
}

std::optional<int> parse_own(CLI::App& app, CliOptions& options) {
  std::string level = "info";
  add_global_options(app, options, level);
  if (options.visitor != nullptr) {
    (*options.visitor)(app);
    return 0;
  }
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
