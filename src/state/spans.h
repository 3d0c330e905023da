// Spans of time that may overlap: how much of the time they cover together.
//
// For the reports over the ledger. Pure; nothing outside state sees it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace nl::state {

// From and until, milliseconds since 1970.
using Span = std::pair<std::int64_t, std::int64_t>;

// Milliseconds before `to` that lie in at least one of `spans`.
inline std::int64_t covered_ms(std::vector<Span> spans, std::int64_t to) {
  std::sort(spans.begin(), spans.end());
  std::int64_t total = 0;
  std::int64_t seen = 0;
  for (const auto& [from, until] : spans) {
    const std::int64_t begin = std::max(from, seen);
    const std::int64_t end = std::min(until, to);
    if (end <= begin) continue;
    total += end - begin;
    seen = end;
  }
  return total;
}

}  // namespace nl::state
