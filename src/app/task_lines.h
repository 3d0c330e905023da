// The user's tasks as the cheat sheet tells them: what `nightlight tasks` has kept of their
// readiness.
//
// A task that nobody has judged stands there too. A file that is not there, too large or not
// understood counts as none: a sheet must not fail for it. Blocks on the disk; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sheet/sheet_facts.h"

namespace nl::app {

// Of {"readiness":[{"task","words","model","date"}]}.
std::vector<sheet::TaskLine> task_lines(std::string_view readiness_json);

// Of the tasks' folder below `state_folder`.
std::vector<sheet::TaskLine> read_task_lines(const std::string& state_folder);

}  // namespace nl::app
