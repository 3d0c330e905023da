// Stretched time: how long work went on although the preferred provider was out.
//
// Times in which nothing was asked do not count, a night between two questions least of all: that
// is what tells it from Totals::dark_ms. Opens the ledger read-only, answers and closes it. Any
// thread.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"

namespace nl::state {

// The requests that another provider answered in a preferred one's place, with the pauses between
// them up to a quarter of an hour, until the preferred one answers again. Overlapping times of
// several providers count once. A request that the preferred one could not take for what it was
// (too long, of an unknown model) says nothing about that provider. Errors: io, not_found.
Result<std::int64_t> stretched_ms(const std::string& ledger_path, std::int64_t from_unix_ms,
                                  std::int64_t to_unix_ms);

}  // namespace nl::state
