// Command line: what was asked, as plain values.
//
// parse_cli() decides everything that can be decided without a file or a socket; help, the version
// and mistakes come back as text with an exit status. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "base/log.h"
#include "config/config.h"
#include "drill/drill.h"

namespace CLI {
class App;
}

namespace nl::app {

// Is shown a command's arguments instead of their being read: completions are made from them.
using CliVisitor = std::function<void(const CLI::App& app)>;

enum class Command : std::uint8_t {
  up,
  check,
  status,
  why,
  report,
  run,
  drill,
  pull,
  models,
  show,
  rm,
  restart,
  own,  // one of own_commands.h, named by CliOptions::subject
};

enum class Form : std::uint8_t { people, json, line, defaults, profiles };

struct CliOptions {
  Command command = Command::up;
  config::ConfigSource config;  // --config, --listen, --workers
  log::Level level = log::Level::info;
  Form form = Form::people;  // --json, --line, --defaults
  // why: the id; run: the client; report: --since; pull, show, rm: the model
  std::string subject;
  bool fit = false;                // models: what of the family fits this machine
  bool measure = false;            // models --fit: how fast memory is, anew
  bool retry = false;              // up: forget what failed here before
  std::vector<std::string> rest;   // run: what follows --; own: what follows the name
  std::string program;             // argv[0]
  std::vector<std::string> words;  // the whole command line, argv[0] first
  bool rehearse = false;           // up: look whether it could serve, and end
  drill::DrillOptions drill;
  const CliVisitor* visitor = nullptr;  // own: look, do not run
};

// Text to print instead of running a command; `status` 0 goes to standard output, else to error.
struct CliText {
  std::string text;
  int status = 0;
};

std::variant<CliOptions, CliText> parse_cli(const std::vector<std::string>& arguments);

// Shows the whole command line but what the commands of own_commands.h read themselves.
void visit_cli(const CliVisitor& visitor);

}  // namespace nl::app
