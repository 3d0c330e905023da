// OwnCommand: a command that reads its own arguments.
//
// The table is the whole list: parse_cli() names these commands in the help and hands them
// everything that follows the name in CliOptions::rest, with the options before it already taken.
// Such a command is a client of the running gateway or works on files of the user; it never serves.
#pragma once

#include <optional>
#include <vector>

#include "app/cli.h"
#include "base/environment.h"

namespace CLI {
class App;
}

namespace nl::app {

struct OwnCommand {
  const char* name;
  const char* summary;
  // The exit status: 0 done, 1 done and something is wrong, 2 a mistake in what was asked; a
  // command may have more of them above 2.
  int (*run)(const CliOptions& options, const Environment& environment);
};

const std::vector<OwnCommand>& own_commands();

// Reads options.rest by `app`, with the global options (--config, --listen, --workers, --log) added
// to it and to `options`. Help and mistakes are printed; then the exit status to end with comes
// back. So it does where options.visitor only wants to see `app`: the first thing a command does.
std::optional<int> parse_own(CLI::App& app, CliOptions& options);

}  // namespace nl::app
