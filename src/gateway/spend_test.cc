#include "gateway/spend.h"

#include <gtest/gtest.h>

namespace nl::gateway {
namespace {

TEST(SpendGuard, HoldsReservationsUntilTheyAreSettled) {
  ManualClock clock;
  SpendGuard guard(clock, 100);
  const SpendGuard::Held held = guard.reserve(50);
  EXPECT_EQ(guard.spent(), 150);
  guard.settle(held, 20);
  EXPECT_EQ(guard.spent(), 120);
}

TEST(SpendGuard, AnAnswerAcrossMidnightGivesTheNewDayNothingToSpend) {
  ManualClock clock;
  SpendGuard guard(clock, 100);
  const SpendGuard::Held held = guard.reserve(50);
  clock.advance(std::chrono::hours(25));
  guard.settle(held, 20);
  EXPECT_EQ(guard.spent(), 20) << "the new day pays what was paid, and gets back nothing";
  guard.settle(guard.reserve(30), 5);
  EXPECT_EQ(guard.spent(), 25);
}

TEST(SpendGuard, BeginsANewDayWithNothing) {
  ManualClock clock;
  SpendGuard guard(clock, 100);
  clock.advance(std::chrono::hours(25));
  EXPECT_EQ(guard.spent(), 0);
}

TEST(LocalDay, StartsAtItsMidnight) {
  const ManualClock clock;
  const std::int64_t start = local_day_start_unix_ms(clock.wall());
  const WallTime midnight{std::chrono::milliseconds(start)};
  EXPECT_LE(midnight, clock.wall());
  EXPECT_EQ(local_day(midnight), local_day(clock.wall()));
  EXPECT_NE(local_day(midnight - std::chrono::seconds(1)), local_day(clock.wall()));
}

}  // namespace
}  // namespace nl::gateway
