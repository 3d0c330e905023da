// The folder for what is kept between runs: the ledger, records of what was connected, measures.
//
// Where it is follows from the environment alone, so that a mistake in a configuration keeps nobody
// from what is in it. Does not make it. Pure; any thread.
#pragma once

#include <string>

#include "base/environment.h"

namespace nl::config {

// $XDG_STATE_HOME/nightlight, or ~/.local/state/nightlight.
std::string state_folder(const Environment& environment);

}  // namespace nl::config
