// run: a client started on the gateway: `nightlight run claude -- --continue`.
//
// Finds the gateway or starts it, sets the client's base URL and becomes the client. Credentials in
// the environment go through untouched. When no gateway can be had the client starts directly, with
// a warning: Nightlight must not be what keeps somebody from working. Main thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/cli.h"
#include "app/config.h"

namespace nl::app {

struct ClientKind {
  std::string_view name;
  std::string_view binary;
  std::string_view install;   // how to get it
  std::string_view unserved;  // why it cannot be run on this release; empty when it can
};
// Null when `name` is not known.
const ClientKind* client_kind(std::string_view name);

// A login of Claude Code's own, as far as files tell: it then needs no credential from us.
bool has_claude_login(const Environment& environment);

enum class ClaudeLogin : std::uint8_t { present, absent };

// The variables to set for `kind` so that it speaks to `base_url`. Pure.
std::vector<std::pair<std::string, std::string>> client_variables(const ClientKind& kind,
                                                                  const std::string& base_url,
                                                                  const Environment& environment,
                                                                  ClaudeLogin login);

// What `up` is started with for the given command line.
std::vector<std::string> gateway_command(const CliOptions& options, const std::string& program);

// The command. `config` is null when it could not be loaded (`trouble` says why): the client then
// starts directly. Returns only when the client could not be started.
struct RunSetup {
  const CliOptions& options;
  const Environment& environment;
  const Config* config = nullptr;
  std::string trouble;
};
int run_client(const RunSetup& setup);

}  // namespace nl::app
