// Announcements: the herald of this configuration.
//
// Finds the desktop's program and takes from the environment what that program needs, no more.
// Main thread.
#pragma once

#include <memory>

#include "admin/herald.h"
#include "config/config.h"

namespace nl::app {

// Null when nobody wants to be told.
std::unique_ptr<admin::Herald> make_herald(const Clock& clock, gateway::Tally& tally,
                                           const config::Config& config,
                                           const Environment& environment);

}  // namespace nl::app
