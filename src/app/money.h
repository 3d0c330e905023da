// Money: what the fallback has cost and spared in a time, added up from the ledger and from what
// the user says of fees and power.
//
// Sums of measured figures only: what is not known is said, not guessed. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "config/config.h"
#include "state/ledger.h"

namespace nl::app {

struct MoneyFacts {
  state::Totals totals;
  std::int64_t past_limit_micro_usd = 0;  // paid answers in the place of a flat subscription
  std::int64_t stretched_ms = 0;
  std::int64_t from_unix_ms = 0;
  std::int64_t to_unix_ms = 0;
};

struct Money {
  double days = 0;
  std::int64_t fees_micro_usd = 0;  // the flat fees' share of that time
  std::int64_t metered_micro_usd = 0;
  std::int64_t past_limit_micro_usd = 0;
  std::int64_t unpriced = 0;   // answers without a known price: in no sum
  double stretched_hours = 0;  // the preferred target failed, and work went on
  double local_hours = 0;      // of answers, added up
  double electricity_kwh = 0;  // 0 where no wattage is set
  std::int64_t electricity_micro_usd = 0;
};

Money count_money(const MoneyFacts& facts, const config::PlanConfig& plan);

// A line each, for people.
std::string money_text(const Money& money, const config::PlanConfig& plan);
std::string money_json(const Money& money);

}  // namespace nl::app
