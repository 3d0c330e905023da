// SpendGuard: today's money for paid failover: reserved before an attempt, settled after it.
//
// The planner reads spent() and leaves out what would go over the cap; between plan and settlement
// the estimate is held, so that parallel requests cannot pass the cap together. The day is the
// local calendar day; what was held on an earlier one is gone with it. Shared by all loops; atomics
// only.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.h"

namespace nl::gateway {

class SpendGuard {
 public:
  // `start` is what the ledger says was spent today already.
  explicit SpendGuard(const Clock& clock, std::int64_t start_micro_usd);

  // Settled and reserved so far today, in micro-dollars.
  std::int64_t spent();
  struct Held {
    std::int64_t micro_usd = 0;
    std::int64_t day = 0;
  };
  Held reserve(std::int64_t micro_usd);
  // Replaces a reservation by what was really paid.
  void settle(const Held& held, std::int64_t paid_micro_usd);

 private:
  void roll();

  const Clock& clock_;
  std::atomic<std::int64_t> spent_;
  std::atomic<std::int64_t> day_;
};

// The local calendar day of `wall`, counted in days; and the epoch milliseconds it began at.
std::int64_t local_day(WallTime wall);
std::int64_t local_day_start_unix_ms(WallTime wall);

}  // namespace nl::gateway
