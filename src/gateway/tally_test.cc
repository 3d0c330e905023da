#include "gateway/tally.h"

#include <gtest/gtest.h>

namespace nl::gateway {
namespace {

state::RequestRow row(const char* preferred, const char* provider, const char* reason) {
  state::RequestRow made;
  made.outcome = "ok";
  made.preferred = preferred;
  made.provider = provider;
  made.model = "m";
  made.tier = "router";
  made.reason = reason;
  return made;
}

TEST(Tally, KnowsWhoAnswersForEveryPreferredProvider) {
  const SystemClock clock;
  Tally tally(clock);
  EXPECT_TRUE(tally.answering().empty());
  tally.count(row("anthropic/m", "openrouter", "anthropic/m: 429 rate limit"));
  tally.count(row("openai/m", "openai", ""));
  auto all = tally.answering();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].preferred, "anthropic");
  EXPECT_EQ(all[0].provider, "openrouter");
  EXPECT_EQ(all[0].reason, "anthropic/m: 429 rate limit");
  EXPECT_EQ(all[1].provider, "openai");
  tally.count(row("anthropic/m", "anthropic", ""));
  all = tally.answering();
  EXPECT_EQ(all[0].provider, "anthropic");
  EXPECT_EQ(all[0].reason, "");
}

TEST(Tally, ARequestThatOnlyAnotherCouldAnswerSaysNothingOfAProvider) {
  const SystemClock clock;
  Tally tally(clock);
  state::RequestRow too_long = row("anthropic/m", "openrouter", "anthropic/m: too long");
  too_long.attempts.emplace_back();
  too_long.attempts.back().failure_class = "capability";
  tally.count(too_long);
  state::RequestRow failed = row("anthropic/m", "", "");
  failed.outcome = "exhausted";
  tally.count(failed);
  EXPECT_TRUE(tally.answering().empty());
  EXPECT_EQ(tally.numbers().failovers, 1);
}

}  // namespace
}  // namespace nl::gateway
