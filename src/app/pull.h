// nightlight pull: gets a model from a registry, a model hub or this machine into the model store.
//
// Without a name it says which Gemma 4 suits this machine and pulls that. Asks nothing of the
// gateway, sends no credential anywhere. Main thread.
#pragma once

#include "app/cli.h"
#include "base/environment.h"
#include "config/config.h"

namespace nl::app {

// The exit status.
int pull(const CliOptions& options, const config::Config& config, const Environment& environment);

}  // namespace nl::app
