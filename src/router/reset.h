// Resets: when an upstream says that it may be asked again.
//
// Reads the body's statement, each vendor's rate-limit headers and retry-after. Junk, negative and
// past values are no statement. Pure; wall time is passed in because some resets are dates.
#pragma once

#include <optional>
#include <string_view>

#include "base/clock.h"
#include "router/verdict.h"

namespace nl::router {

struct StatedReset {
  Duration after{};
  // From a field that means a reset, not a bare retry-after or a sentence.
  bool structured = false;
};

// The statement that counts, if any. A bare one is capped at one hour.
std::optional<StatedReset> stated_reset(const Seen& seen, WallTime wall);
// `anthropic-ratelimit-unified-reset` as a duration from `wall`.
std::optional<Duration> unified_reset(const Seen& seen, WallTime wall);

Duration until_next_month(WallTime wall);
// Midnight in California in winter time: an hour late in summer, never early.
Duration until_pacific_midnight(WallTime wall);

// The value of header `name` (lower case), or empty.
std::string_view header(const Seen& seen, std::string_view name);

// "120", "0.5" or an HTTP date.
std::optional<Duration> parse_retry_after(std::string_view value, WallTime wall);
// "2026-10-03T08:00:00Z", with fraction and offset.
std::optional<WallTime> parse_rfc3339(std::string_view value);
// "6m0s", "1.5s", "120ms", "1h2m3s".
std::optional<Duration> parse_duration(std::string_view value);

}  // namespace nl::router
