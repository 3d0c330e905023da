// nightlight completions SHELL: the script that makes a shell complete these commands.
//
// Made from the command line itself, so it knows what this program knows. Main thread.
#pragma once

#include "app/cli.h"
#include "base/environment.h"

namespace nl::app {

// An exit status.
int completions_command(const CliOptions& options, const Environment& environment);

}  // namespace nl::app
