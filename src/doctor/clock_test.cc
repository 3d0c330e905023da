#include "doctor/clock.h"

#include <gtest/gtest.h>

namespace nl::doctor {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const WallTime kNow = std::chrono::sys_days(std::chrono::year(2026) / 11 / 25) + hours(23);

ClockReading reading(seconds ahead, const char* host = "api.test") {
  return {host, kNow - ahead, kNow};
}

TEST(HttpDate, IsReadInItsOneForm) {
  EXPECT_EQ(parse_http_date("Wed, 25 Nov 2026 23:00:00 GMT"), kNow);
  EXPECT_EQ(parse_http_date("Thu, 01 Jan 1970 00:00:07 GMT"), WallTime(seconds(7)));
  for (const char* text : {"", "Wed, 25 Nov 2026 23:00:00", "Wed, 25 Nov 2026 23:00:00 CET",
                           "Wed, 25 Foo 2026 23:00:00 GMT", "Wed, 31 Feb 2026 23:00:00 GMT",
                           "Wed, 25 Nov 2026 24:00:00 GMT", "Wed, -5 Nov 2026 23:00:00 GMT",
                           "Wednesday, 25-Nov-26 23:00:00 GMT", "Wed, 25 Nov 2026 23:0x:00 GMT"}) {
    EXPECT_FALSE(parse_http_date(text)) << text;
  }
}

TEST(Clock, SmallDifferencesAreNobodysBusiness) {
  EXPECT_TRUE(check_clock({}).empty());
  EXPECT_TRUE(check_clock({reading(seconds(299))}).empty());
  EXPECT_TRUE(check_clock({reading(seconds(-299))}).empty());
}

TEST(Clock, MinutesAreAWarningHoursAFault) {
  const Findings minutes_off = check_clock({reading(minutes(10))});
  ASSERT_EQ(minutes_off.size(), 1U);
  EXPECT_EQ(minutes_off[0].kind, Kind::clock_off);
  EXPECT_EQ(minutes_off[0].severity, Severity::warning);
  EXPECT_NE(minutes_off[0].what.find("10 min ahead"), std::string::npos) << minutes_off[0].what;
  const Findings a_day_off = check_clock({reading(-days(1))});
  ASSERT_EQ(a_day_off.size(), 1U);
  EXPECT_EQ(a_day_off[0].severity, Severity::fault);
  EXPECT_NE(a_day_off[0].what.find("24 h behind"), std::string::npos) << a_day_off[0].what;
}

TEST(Clock, OneOtherClockThatIsWrongIsNotOurs) {
  EXPECT_TRUE(check_clock({reading(days(3), "odd.test"), reading(seconds(2))}).empty());
  const Findings both = check_clock({reading(days(3)), reading(hours(70), "near.test")});
  ASSERT_EQ(both.size(), 1U);
  EXPECT_NE(both[0].what.find("near.test"), std::string::npos);
}

}  // namespace
}  // namespace nl::doctor
