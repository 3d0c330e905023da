// nightlight models, show and rm: what is in the model store, printed; rm takes something out.
//
// Read files on this machine only; rm is the one that changes something, and only in our own store.
// Main thread.
#pragma once

#include "app/cli.h"
#include "base/environment.h"
#include "config/config.h"

namespace nl::app {

// Exit statuses.
int list_models(const CliOptions& options, const Environment& environment);
int show_model(const CliOptions& options, const config::Config& config,
               const Environment& environment);
int remove_model(const CliOptions& options, const Environment& environment);

}  // namespace nl::app
