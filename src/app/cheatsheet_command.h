// nightlight cheatsheet: one page for this machine, for a terminal, a browser, paper or a program.
//
// Gathers what is here (machine, pulled models, configuration, the running gateway, the user's
// tasks), lets sheet/ lay it out, prints it or writes files. Changes nothing else. Main thread.
#pragma once

#include "app/cli.h"
#include "base/environment.h"

namespace nl::app {

// The exit status.
int cheatsheet(const CliOptions& options, const Environment& environment);

}  // namespace nl::app
