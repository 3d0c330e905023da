#include "router/breaker.h"

#include <gtest/gtest.h>

namespace nl::router {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

class BreakerTest : public testing::Test {
 protected:
  void fail(int times) {
    for (int i = 0; i < times; ++i) breaker.failure(now, 0.5);
  }
  void pass(Duration time) { now += time; }

  Breaker breaker;
  Instant now{hours(5)};
};

TEST_F(BreakerTest, StaysClosedBelowFiveFailuresInARow) {
  fail(4);
  EXPECT_EQ(breaker.state(now), BreakerState::closed);
  breaker.success(now);
  fail(4);
  EXPECT_TRUE(breaker.allow(now));
  EXPECT_EQ(breaker.ready_at(now), now);
}

TEST_F(BreakerTest, OpensAfterFiveFailuresInARowForOneSecond) {
  fail(5);
  EXPECT_EQ(breaker.state(now), BreakerState::open);
  EXPECT_FALSE(breaker.allow(now));
  EXPECT_EQ(breaker.ready_at(now), now + seconds(1));
  EXPECT_EQ(breaker.reason(), "5 failures in a row");
  pass(milliseconds(999));
  EXPECT_FALSE(breaker.allow(now));
  pass(milliseconds(1));
  EXPECT_EQ(breaker.state(now), BreakerState::half_open);
}

TEST_F(BreakerTest, TripsAtOnceAndForLongerEachTime) {
  breaker.trip(now, 0.5);
  EXPECT_EQ(breaker.state(now), BreakerState::open);
  EXPECT_EQ(breaker.reason(), "not reached");
  breaker.trip(now, 0.5);
  EXPECT_EQ(breaker.ready_at(now), now + seconds(1)) << "of many at once only the first counts";
  pass(seconds(1));
  ASSERT_TRUE(breaker.allow(now));
  breaker.trip(now, 0.5);
  EXPECT_EQ(breaker.ready_at(now), now + seconds(2));
  pass(seconds(2));
  ASSERT_TRUE(breaker.allow(now));
  breaker.success(now);
  EXPECT_EQ(breaker.state(now), BreakerState::closed);
}

TEST_F(BreakerTest, EveryTimeOfItsOwnFollowsTheScale) {
  breaker = Breaker(0.1);
  fail(5);
  EXPECT_EQ(breaker.ready_at(now), now + milliseconds(100));
  pass(milliseconds(100));
  ASSERT_TRUE(breaker.allow(now));
  // A probe that never reports.
  EXPECT_FALSE(breaker.allow(now + milliseconds(5999)));
  EXPECT_TRUE(breaker.would_allow(now + milliseconds(6000)));
  for (int i = 0; i < 10; ++i) {
    fail(1);
    pass(seconds(30));
  }
  fail(1);
  EXPECT_EQ(breaker.ready_at(now), now + seconds(3)) << "the longest";
  // A stated reset is not ours to scale.
  breaker.hold_until(now + hours(1), "limit");
  EXPECT_EQ(breaker.ready_at(now), now + hours(1));

  breaker = Breaker(0.1);
  for (int i = 0; i < 100; ++i) {
    fail(1);
    breaker.success(now);
    pass(milliseconds(150));
  }
  EXPECT_EQ(breaker.state(now), BreakerState::closed) << "fewer than 20 within a window of 1 s";
}

TEST_F(BreakerTest, OpensWhenHalfOfTwentyAttemptsWithinTheWindowFailed) {
  for (int i = 0; i < 9; ++i) {
    breaker.success(now);
    fail(1);
    pass(milliseconds(100));
  }
  breaker.success(now);
  EXPECT_EQ(breaker.state(now), BreakerState::closed);
  fail(1);
  EXPECT_EQ(breaker.state(now), BreakerState::open);
  EXPECT_EQ(breaker.reason(), "10 of 20 attempts failed");
}

TEST_F(BreakerTest, ForgetsFailuresOlderThanTheWindow) {
  for (int i = 0; i < 100; ++i) {
    fail(1);
    breaker.success(now);
    pass(seconds(1));
  }
  EXPECT_EQ(breaker.state(now), BreakerState::closed);
}

TEST_F(BreakerTest, AdmitsOneProbeAndClosesOnItsSuccess) {
  fail(5);
  pass(seconds(1));
  EXPECT_TRUE(breaker.would_allow(now));
  EXPECT_TRUE(breaker.allow(now));
  EXPECT_FALSE(breaker.would_allow(now));
  EXPECT_FALSE(breaker.allow(now));
  breaker.success(now);
  EXPECT_EQ(breaker.state(now), BreakerState::closed);
  fail(4);
  EXPECT_TRUE(breaker.allow(now));
}

TEST_F(BreakerTest, ReopensTwiceAsLongUpToTheMaximum) {
  fail(5);
  Duration expected = seconds(1);
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(breaker.ready_at(now) - now, expected);
    pass(expected);
    ASSERT_TRUE(breaker.allow(now));
    breaker.failure(now, 0.5);
    expected = std::min<Duration>(expected * 2, seconds(30));
  }
  EXPECT_EQ(breaker.ready_at(now) - now, seconds(30));
}

TEST_F(BreakerTest, JitterSpreadsTheReopeningByAFifth) {
  for (int i = 0; i < 5; ++i) breaker.failure(now, 0.0);
  EXPECT_EQ(breaker.ready_at(now) - now, milliseconds(800));
  Breaker other;
  for (int i = 0; i < 5; ++i) other.failure(now, 0.999999);
  EXPECT_NEAR(static_cast<double>((other.ready_at(now) - now).count()), 1.2e9, 1e4);
}

TEST_F(BreakerTest, AnAbandonedProbeIsGivenBack) {
  fail(5);
  pass(seconds(1));
  ASSERT_TRUE(breaker.allow(now));
  breaker.abandon();
  EXPECT_TRUE(breaker.allow(now));
}

TEST_F(BreakerTest, AProbeThatNeverReportsBlocksForAMinuteOnly) {
  fail(5);
  pass(seconds(1));
  ASSERT_TRUE(breaker.allow(now));
  pass(seconds(59));
  EXPECT_FALSE(breaker.allow(now));
  pass(seconds(1));
  EXPECT_TRUE(breaker.allow(now));
}

TEST_F(BreakerTest, AHoldLastsExactlyAsLongAsStatedThenAdmitsOneProbe) {
  breaker.hold_until(now + hours(5), "429 subscription used up");
  breaker.success(now);  // an answer that was under way
  breaker.failure(now, 0.5);
  EXPECT_EQ(breaker.ready_at(now), now + hours(5));
  EXPECT_EQ(breaker.reason(), "429 subscription used up");
  pass(hours(5) - milliseconds(1));
  EXPECT_FALSE(breaker.allow(now));
  pass(milliseconds(1));
  EXPECT_TRUE(breaker.allow(now));
  EXPECT_FALSE(breaker.allow(now));
  breaker.success(now);
  EXPECT_EQ(breaker.state(now), BreakerState::closed);
}

TEST_F(BreakerTest, ALaterHoldIsNotCutShortByAnEarlierOne) {
  breaker.hold_until(now + hours(2), "long");
  breaker.hold_until(now + seconds(3), "short");
  EXPECT_EQ(breaker.ready_at(now), now + hours(2));
  EXPECT_EQ(breaker.reason(), "long");
}

}  // namespace
}  // namespace nl::router
