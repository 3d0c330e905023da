// `nightlight ask`: its arguments, and the way each recipe takes.
//
// A client of the running gateway, which it starts where none runs. The answer goes to standard
// output, everything about it to standard error. Exit status: 0, 1 when something is wrong with
// what came (cut, shortened, documents not read) or nobody answered, 2 for a mistake, 130 after
// Ctrl-C.
#pragma once

#include "app/cli.h"
#include "base/environment.h"

namespace nl::app {

int ask_command(const CliOptions& options, const Environment& environment);

}  // namespace nl::app
