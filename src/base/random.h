// Random numbers and identifiers. Not for keys: ids, jitter and sampling only. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace nl {

// A uniformly distributed number from a per-thread generator seeded by the system.
std::uint64_t random_u64();

// `length` characters of [a-z0-9], for request and message ids.
std::string random_id(std::size_t length);

}  // namespace nl
