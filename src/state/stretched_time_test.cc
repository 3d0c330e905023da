#include "state/stretched_time.h"

#include <gtest/gtest.h>

#include "state/ledger_fixture.h"

namespace nl::state {
namespace {

constexpr std::int64_t kMinute = 60'000;

class StretchedTime : public LedgerFixture, public testing::Test {
 protected:
  StretchedTime() { open(); }

  // A request of `duration_ms` 500 at `minute`, preferred at anthropic unless said otherwise.
  RequestRow asked(std::int64_t minute, const std::string& answered_by) {
    RequestRow made = row("nl_" + std::to_string(number_++), minute * kMinute);
    made.provider = answered_by;
    return made;
  }
  void at(std::int64_t minute, const std::string& answered_by) {
    record(asked(minute, answered_by));
  }
  std::int64_t minutes(std::int64_t to_minute = 100'000) {
    ledger->flush(5'000);
    const auto found = stretched_ms(path, 0, to_minute * kMinute);
    EXPECT_TRUE(found) << found.error().message;
    return found ? *found / kMinute : -1;
  }
  int number_ = 0;
};

TEST_F(StretchedTime, CountsFromTheFirstStandInToTheReturn) {
  at(1, "anthropic");
  EXPECT_EQ(minutes(), 0);
  at(10, "openrouter");
  at(20, "openrouter");
  at(30, "engine");
  at(40, "anthropic");
  EXPECT_EQ(minutes(), 30);
  EXPECT_EQ(minutes(25), 10) << "what comes later is not known then";
}

TEST_F(StretchedTime, DoesNotCountTheNight) {
  at(10, "openrouter");
  at(20, "openrouter");
  at(600, "openrouter");
  at(610, "anthropic");
  EXPECT_EQ(minutes(), 10 + 10);
  at(700, "openrouter");
  at(1400, "anthropic");
  EXPECT_EQ(minutes(), 10 + 10) << "one request, half a second";
}

TEST_F(StretchedTime, CountsOverlappingTimesOnce) {
  for (const std::int64_t minute : {10, 20}) {
    at(minute, "engine");
    RequestRow other = asked(minute + 5, "engine");
    other.preferred = "openai/gpt";
    record(other);
  }
  EXPECT_EQ(minutes(), 15);
}

TEST_F(StretchedTime, LeavesOutWhatSaysNothingOfTheProvider) {
  RequestRow failed = asked(10, "");
  failed.outcome = "exhausted";
  record(failed);
  for (const std::int64_t minute : {20, 30}) {
    RequestRow longer = asked(minute, "openrouter");
    AttemptRow refused;
    refused.outcome = "status";
    refused.failure_class = "capability";
    longer.attempts = {refused, AttemptRow()};
    record(longer);
  }
  EXPECT_EQ(minutes(), 0);
}

TEST_F(StretchedTime, NoLedgerIsNotFound) {
  const auto found = stretched_ms(path + "-none", 0, 1);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace nl::state
