// Random numbers and identifiers, for ids, jitter and sampling.
//
// Never for keys: the generator is seeded by the system but is no cipher. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace nl {

// A uniformly distributed number from a per-thread generator seeded by the system.
std::uint64_t random_u64();

// `prefix` and `length` characters of [a-z0-9], for request and message ids.
std::string random_id(std::size_t length, std::string_view prefix = {});

// `prefix`, 9 characters that grow with `unix_ms`, then 11 random ones: ids that sort by their
// time, so that an index over them grows at its end.
std::string ordered_id(std::int64_t unix_ms, std::string_view prefix = {});

}  // namespace nl
