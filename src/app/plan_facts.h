// What `plan` looks at: keys, logins, local servers, models and hardware of this machine.
//
// Reads files and asks local servers for a moment; sends no key anywhere. Main thread.
#pragma once

#include <string>
#include <vector>

#include "app/first_steps.h"
#include "base/environment.h"
#include "config/config.h"

namespace nl::app {

// A line each: tiers 1 and 2, the local tier, the machine.
std::vector<std::string> what_is_here(const config::Config& config, const Environment& environment);

// All but the record.
StepFacts step_facts(const config::Config& config, const Environment& environment);

}  // namespace nl::app
