// Repair, done: what `doctor --fix` changes by itself.
//
// Works on the opened file where it can, touches only what belongs to this user, and never follows
// a link. Blocks on the disk. Any thread, one at a time.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "doctor/finding.h"

namespace nl::doctor {

// What was done, a line for people. Errors: io (nothing more was done for this one).
Result<std::string> repair(const Repair& order);

}  // namespace nl::doctor
