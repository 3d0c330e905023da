// How fast this machine's memory is read, measured: a short run over more bytes than caches hold.
//
// Up to a quarter of a second of every core, and 256 MiB of memory for that long; nothing is
// measured where that much is not free, or on a machine that is busy. For commands that a person
// waits for, not for the gateway's start. Blocks; any thread.
#pragma once

#include <optional>

#include "engine/machine.h"

namespace nl::engine {

std::optional<Bandwidth> measure_memory(const Machine& machine);

}  // namespace nl::engine
