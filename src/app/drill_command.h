// drill: the command that rehearses the blackout; the rehearsal itself is drill/drill.h.
//
// Adds what the drill cannot know: which engine would run here, and whether it could. Main thread,
// before others run.
#pragma once

#include "app/cli.h"
#include "base/environment.h"

namespace nl::app {

// 0 when no client saw an error.
int drill(const CliOptions& options, const Environment& environment);

}  // namespace nl::app
