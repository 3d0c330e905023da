// nightlight plan: from a fresh machine to a fallback that can be trusted, in about thirty minutes.
//
// Shows what is here and what is missing, then offers each open step; a step is a plain command of
// this program, run on this terminal, and can as well be typed. Leaving it loses nothing: the next
// `plan` goes on where this one stood. Main thread.
#pragma once

#include "app/cli.h"
#include "base/environment.h"

namespace nl::app {

int plan_command(const CliOptions& options, const Environment& environment);

}  // namespace nl::app
