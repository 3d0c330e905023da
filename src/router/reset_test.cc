#include "router/reset.h"

#include <gtest/gtest.h>

namespace nl::router {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// 2027-01-15T08:00:00Z.
constexpr WallTime kWall{seconds(1'800'000'000)};

TEST(ResetTest, JunkIsNoStatement) {
  for (const char* junk : {"", " ", "-5", "0", "soon", "1e9999", "nan", "inf", "12abc", "0x10",
                           "Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 99 Foo 2027 08:49:37 GMT"}) {
    EXPECT_FALSE(parse_retry_after(junk, kWall)) << junk;
  }
  for (const char* junk :
       {"", "2027", "2027-13-01T00:00:00Z", "2027-02-30T00:00:00Z", "2027-01-15T25:00:00Z",
        "2027-01-15T08:00:00", "2027-01-15 08:00Z", "2027-01-15T08:00:00+1", "tomorrow"}) {
    EXPECT_FALSE(parse_rfc3339(junk)) << junk;
  }
  for (const char* junk : {"", "5", "m", "-5s", "5x", "s5", "0s", "5s x"}) {
    EXPECT_FALSE(parse_duration(junk)) << junk;
  }
}

TEST(ResetTest, ReadsEachWayToStateATime) {
  EXPECT_EQ(parse_retry_after(" 120 ", kWall), Duration(minutes(2)));
  EXPECT_EQ(parse_retry_after("0.5", kWall), Duration(milliseconds(500)));
  EXPECT_EQ(parse_retry_after("Fri, 15 Jan 2027 08:01:30 GMT", kWall), Duration(seconds(90)));
  EXPECT_EQ(parse_duration("6m0s"), Duration(minutes(6)));
  EXPECT_EQ(parse_duration("1h2m3s"), Duration(seconds(3723)));
  EXPECT_EQ(parse_duration("120ms"), Duration(milliseconds(120)));
  EXPECT_EQ(parse_rfc3339("2027-01-15T08:00:00Z"), kWall);
  EXPECT_EQ(parse_rfc3339("2027-01-15T08:00:00.123456Z"), kWall);
  EXPECT_EQ(parse_rfc3339("2027-01-15T10:30:00+02:30"), kWall);
  EXPECT_EQ(parse_rfc3339("2027-01-15T00:00:00-08:00"), kWall);
}

TEST(ResetTest, KnowsTheEndsOfMonthAndDay) {
  EXPECT_EQ(until_next_month(kWall), Duration(hours(24 * 16 + 16)));
  const WallTime december = kWall - hours(24 * 20);
  EXPECT_EQ(until_next_month(december), Duration(hours(24 * 5 + 16)));
  EXPECT_EQ(until_pacific_midnight(kWall), Duration(hours(24)));
  EXPECT_EQ(until_pacific_midnight(kWall - seconds(1)), Duration(seconds(1)));
}

}  // namespace
}  // namespace nl::router
