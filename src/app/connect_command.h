// nightlight connect and disconnect: clients pointed at the gateway for good, and back.
//
// Changes files of the user's own, each time shown first; what it may write and how it is taken
// back is nl::clients' business. Main thread.
#pragma once

#include "app/cli.h"
#include "base/environment.h"

namespace nl::app {

// Exit statuses.
int connect_command(const CliOptions& options, const Environment& environment);
int disconnect_command(const CliOptions& options, const Environment& environment);

}  // namespace nl::app
