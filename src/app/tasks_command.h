// tasks: the user's fallback tasks, tried on the local tier and compared with the cloud.
//
// Reads the arguments of add, list, run, report, grade and rm and hands them to work/; what a run
// needs of the gateway and its ledger is put together in tasks_run.h. A client of the running
// gateway. Main thread, blocking.
#pragma once

#include "app/cli.h"
#include "base/environment.h"

namespace nl::app {

int tasks(const CliOptions& options, const Environment& environment);

}  // namespace nl::app
