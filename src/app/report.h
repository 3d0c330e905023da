// Report: what the ledger tells people: `report` about a time, `why` about one request.
//
// The texts are pure functions of rows; report() and why() read the ledger and print. Main thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "app/cli.h"
#include "base/clock.h"
#include "base/error.h"
#include "state/ledger.h"

namespace nl::app {

// The epoch milliseconds that `since` means at `now`, in local time: "today", "yesterday" (from its
// midnight on), "90m", "24h", "7d" or "2026-11-25". Errors: bad_request.
Result<std::int64_t> parse_since(std::string_view since, WallTime now);

// "3 h dark, 212 requests, 0 errors, $1.90", then a table by target.
std::string report_text(const state::Totals& totals);
std::string report_json(const state::Totals& totals, std::int64_t from_unix_ms,
                        std::int64_t to_unix_ms);

// The story of one request: asked, planned, tried, answered, paid.
std::string why_text(const state::RequestRow& row);

// The commands; the exit status.
int report(const CliOptions& options, const config::Config& config);
int why(const CliOptions& options, const config::Config& config);

}  // namespace nl::app
