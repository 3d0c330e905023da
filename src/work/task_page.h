// The HTML page of a run: both answers to every example side by side, as A and B, to be graded
// without knowing whose they are.
//
// One file that asks nobody for anything: no picture, no font, no address in it, and a policy that
// forbids them. There is no server behind it, so its buttons only write the command line that
// `nightlight tasks grade` takes. Makers, times, tokens and cost are below a fold of each example.
// All text is escaped. Pure.
#pragma once

#include <string>

#include "work/task_run.h"

namespace nl::work {

std::string task_page(const TaskRun& run);

}  // namespace nl::work
