// Task floors: from the readiness of the user's tasks to the policy's proofs.
//
// Read when routing is made: at a start, at a reload, and for `check`. A target is not good enough
// for a label as soon as one task of that label has shown it. Main thread; blocks on a small file.
#pragma once

#include <string>
#include <vector>

#include "app/config.h"
#include "app/policy.h"
#include "work/readiness.h"

namespace nl::app {

void add_proofs(router::Policy& policy, const std::vector<work::Readiness>& known);

// From the state folder's file. What is wrong with it, or nothing; without one nothing changes.
std::string add_task_floors(Routing& routing, const Config& config);

}  // namespace nl::app
