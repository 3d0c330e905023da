// The clock check: this machine's time beside the Date headers of whoever has answered.
//
// A wrong clock breaks every certificate and every limit that names a time. Several answers are
// held against each other: only what all of them say is this machine's fault. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "doctor/finding.h"

namespace nl::doctor {

struct ClockReading {
  std::string host;
  WallTime theirs;
  WallTime ours;  // when it was read
};

inline constexpr auto kClockWarning = std::chrono::minutes(5);
inline constexpr auto kClockFault = std::chrono::hours(1);

Findings check_clock(const std::vector<ClockReading>& readings);

// "Wed, 25 Nov 2026 23:30:00 GMT"; nothing when it is not of that form.
std::optional<WallTime> parse_http_date(std::string_view text);

// "3 days", "25 h", "7 min", "12 s".
std::string span_text(std::chrono::seconds span);

}  // namespace nl::doctor
