// run: a client started on the gateway: `nightlight run claude -- --continue`.
//
// Finds the gateway or starts it, sets for this one run what `connect` would set for good, and
// becomes the client. Credentials in the environment go through untouched. When no gateway can be
// had the client starts directly, with a warning: Nightlight must not be what keeps somebody from
// working. Main thread.
#pragma once

#include <string>
#include <vector>

#include "app/cli.h"
#include "base/secret.h"
#include "clients/client.h"
#include "config/config.h"

namespace nl::app {

// A credential for `client` where it has none, or where the gateway asks for its token: what
// Wanted::stand_in is to be. `warning`: why it cannot be given; empty = it need not be.
struct StandIn {
  std::string word;
  std::string warning;
};
StandIn stand_in_for(const clients::Client& client, const Environment& environment,
                     const std::vector<Secret>& tokens);

// What `up` is started with for the given command line.
std::vector<std::string> gateway_command(const CliOptions& options, const std::string& program);

// The command. `config` is null when it could not be loaded (`trouble` says why): the client then
// starts directly. Returns only when the client could not be started.
struct RunSetup {
  const CliOptions& options;
  const Environment& environment;
  const config::Config* config = nullptr;
  std::string trouble;
};
int run_client(const RunSetup& setup);

}  // namespace nl::app
