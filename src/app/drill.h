// drill: rehearse the blackout through the true path: `nightlight drill --demo`.
//
// Builds the stage (drill_stage.h), plays on it by a script or by a person's keys, and writes the
// report. Everything it started has ended when it returns. Main thread, before others run.
#pragma once

#include "app/cli.h"
#include "base/environment.h"

namespace nl::app {

// The command; 0 when no client saw an error.
int drill(const CliOptions& options, const Environment& environment);

}  // namespace nl::app
