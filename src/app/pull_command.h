// nightlight pull: gets a model into the model store.
//
// Without a name it says which Gemma 4 suits this machine and pulls that. Asks nothing of the
// gateway. Main thread.
#pragma once

#include "app/cli.h"
#include "base/environment.h"
#include "config/config.h"

namespace nl::app {

// The exit status.
int pull(const CliOptions& options, const config::Config& config, const Environment& environment);

}  // namespace nl::app
