// Whether a child ended because memory ran out: by what it said, or by what the system counts.
//
// A kill by signal 9 alone is no proof: people and tests send it too. Reads one small file of the
// system, which never waits for a disk. Any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/spawn.h"

namespace nl::engine {

// How many processes this machine has killed for want of memory since it started; 0 where it does
// not tell.
std::uint64_t memory_kills();

// `end` of a child that said `lines`, and `kills` more of the above during its life.
bool ended_for_memory(const ChildEnd& end, std::string_view lines, std::uint64_t kills);

}  // namespace nl::engine
