// serve: `nightlight up`, the gateway in the foreground until SIGTERM or SIGINT.
//
// Builds every part by name, in order, and owns them. Returns the exit status; what went wrong has
// then been said on standard error.
#pragma once

#include "app/cli.h"

namespace nl::app {

int serve(const CliOptions& options);

}  // namespace nl::app
