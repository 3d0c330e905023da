// `nightlight doctor`: looks for what would keep the light off, says what to do about each thing,
// and does what is safe when asked to.
//
// Asks clouds and servers once, within ten seconds in all; shows no key. Main thread.
#pragma once

#include "app/cli.h"
#include "base/environment.h"

namespace nl::app {

// 0 all well (notes aside), 1 warnings, 3 faults, 2 a mistake in what was asked.
int doctor(const CliOptions& options, const Environment& environment);

}  // namespace nl::app
