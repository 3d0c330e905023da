// The gateway for a command that needs one: the running one, else one started for it.
//
// A gateway that is started stays when the command ends, as after `nightlight run`. Blocking, for
// the command line only.
#pragma once

#include <string>

#include "app/cli.h"
#include "app/local_gateway.h"
#include "config/config.h"
#include "work/endpoint.h"

namespace nl::app {

// Starts the gateway and waits for it. What keeps it from coming up, or nothing.
std::string start_gateway(const CliOptions& options, const config::Config& config,
                          const LocalGateway& gateway);

// Where to ask. Errors: config (no address of the configuration can be asked from here), connect
// (none runs and none could be started: why).
Result<work::Address> reach_gateway(const CliOptions& options, const config::Config& config);

}  // namespace nl::app
