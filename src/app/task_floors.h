// Task floors: from the readiness of the user's tasks to the policy's proofs.
//
// Read when routing is made (a start, a reload, `check`), and by a running gateway whenever the
// file has changed. A target is not good enough for a label as soon as one task of that label has
// shown it. Main thread; blocks on a small file.
#pragma once

#include <string>
#include <vector>

#include "app/policy.h"
#include "config/config.h"
#include "work/readiness.h"

namespace nl::app {

void add_proofs(router::Policy& policy, const std::vector<work::Readiness>& known);

// Differs once the file has been written anew; one question to the disk's memory of a folder.
std::string floors_stamp(const config::Config& config);

// What the state folder's file says; none is an empty list. Errors: config, io.
Result<std::vector<work::Readiness>> known_readiness(const config::Config& config);

// From that file. What is wrong with it, or nothing; without one nothing changes.
std::string add_task_floors(Routing& routing, const config::Config& config);

}  // namespace nl::app
