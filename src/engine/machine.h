// Machine: the memory and the processor cores that the engine may count on.
//
// Read from the system once per start of the engine; a few small files, so off the loop. What
// cannot be read counts as little. Values; any thread.
#pragma once

#include <cstdint>

namespace nl::engine {

struct Machine {
  std::uint64_t memory_bytes = 0;        // of the whole machine
  std::uint64_t memory_limit_bytes = 0;  // of this process's control group; 0 = none
  int physical_cores = 1;                // that this process may run on
};

Machine read_machine();

// What the engine may take of `machine`: three quarters, and half a GiB less than a group's limit.
std::uint64_t memory_for_engine(const Machine& machine);

}  // namespace nl::engine
