// nightlight autostart on|off|status: the gateway as a service of this user.
//
// Puts the unit where nl::clients says and asks the service manager to take note; where that cannot
// be reached, says what to run. Main thread.
#pragma once

#include "app/cli.h"
#include "base/environment.h"

namespace nl::app {

// An exit status.
int autostart_command(const CliOptions& options, const Environment& environment);

}  // namespace nl::app
