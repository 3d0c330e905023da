// restart: replaces the running gateway by the program on disk, and tells how that went.
//
// Finds the gateway by the lock of its address, asks it by a signal, and looks at its status until
// the new one answers or the old one says why it stays. Blocking, for the command line only.
#pragma once

#include "app/cli.h"
#include "config/config.h"

namespace nl::app {

int restart(const CliOptions& options, const config::Config& config);

}  // namespace nl::app
