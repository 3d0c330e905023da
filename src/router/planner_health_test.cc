// What health and money do to a plan.
#include <gtest/gtest.h>

#include "router/planner_fixture.h"

namespace nl::router {
namespace {

class PlannerHealthTest : public testing::Test, public PlannerFixture {};

TEST_F(PlannerHealthTest, WhatHealthBlocksIsSkippedWithItsReason) {
  hold(kAnthropic, FailureClass::quota, hours(3));
  const Plan made = make();
  EXPECT_EQ(order(made)[0], "openai/gpt-5.5");
  EXPECT_EQ(why_not(made, "anthropic/claude-opus-5-5"), "429 weekly limit, for 3 h");
  EXPECT_EQ(made.preferred, "anthropic/claude-opus-5-5");
  EXPECT_EQ(made.held_until, now + hours(1));  // the person may have paid by then
}

TEST_F(PlannerHealthTest, WhatAnotherAttemptIsTestingMayBeBackAtAnyMoment) {
  hold(kAnthropic, FailureClass::quota, hours(3));
  hold(kOpenAi, FailureClass::quota, seconds(2));
  now += seconds(2);
  const Target probed{kOpenAi, "gpt-5.5", Tier::frontier};
  ASSERT_TRUE(health.begin(policy.providers[kOpenAi], probed, 2, now));
  const Plan made = make();
  EXPECT_EQ(why_not(made, "openai/gpt-5.5"), "another attempt is testing it");
  EXPECT_EQ(made.held_until, now);
}

TEST_F(PlannerHealthTest, WhenAllIsUsedUpItSaysWhenToTryAgain) {
  policy.tiers[2].clear();
  hold(kAnthropic, FailureClass::quota, std::chrono::minutes(30));
  hold(kOpenAi, FailureClass::quota, std::chrono::minutes(10));
  hold(kOpenRouter, FailureClass::credential, hours(1));
  const Plan made = make();
  EXPECT_TRUE(made.candidates.empty());
  EXPECT_EQ(made.held_until, now + std::chrono::minutes(10));
  EXPECT_EQ(made.skipped.size(), 3U);
}

TEST_F(PlannerHealthTest, ABrokenTargetIsTheLastResort) {
  policy.tiers[2].clear();
  break_down(kAnthropic, "claude-opus-5-5");
  hold(kOpenAi, FailureClass::quota, std::chrono::milliseconds(10));
  hold(kOpenRouter, FailureClass::quota, hours(1));
  const Plan made = make();
  ASSERT_EQ(order(made), Names{"anthropic/claude-opus-5-5"});
  EXPECT_TRUE(made.candidates[0].last_resort);
  EXPECT_EQ(made.held_until, now + std::chrono::milliseconds(10));
  policy.tiers[2] = {alone(kEngine)};
  EXPECT_EQ(order(), Names{"engine/gemma-4-26b"});
}

TEST_F(PlannerHealthTest, ATargetThatBrokeInThisConversationGoesLast) {
  facts.conversation = 4;
  health.demote(4, "anthropic", now);
  EXPECT_EQ(order().back(), "anthropic/claude-opus-5-5");
  EXPECT_EQ(order().size(), 4U);
  facts.conversation = 5;
  EXPECT_EQ(order().front(), "anthropic/claude-opus-5-5");
}

TEST_F(PlannerHealthTest, OfflineTheLocalTierAnswersFirst) {
  Verdict unreachable;
  unreachable.failure = FailureClass::network;
  unreachable.scope = Scope::provider;
  for (const std::size_t provider : {kAnthropic, kOpenAi}) {
    health.failed(policy.providers[provider], Target{provider, "x", Tier::frontier}, 1, unreachable,
                  now);
  }
  EXPECT_EQ(order().front(), "engine/gemma-4-26b");
  EXPECT_EQ(order().size(), 2U);  // those two are not waited for again at once
  EXPECT_EQ(make().preferred, "anthropic/claude-opus-5-5");
  now += seconds(5);
  EXPECT_EQ(order()[0], "anthropic/claude-opus-5-5");
  EXPECT_EQ(order()[1], "engine/gemma-4-26b");
}

TEST_F(PlannerHealthTest, FailingOverFromASubscriptionIsPaidAndCapped) {
  subscribe();
  policy.providers[kEngine].models[0].context_tokens = 200'000;
  facts.input_tokens = 100'000;  // 0.50 + 0.1024 USD
  Plan made = make();
  EXPECT_FALSE(made.candidates[0].paid_failover);
  EXPECT_TRUE(made.candidates[1].paid_failover);
  EXPECT_TRUE(made.candidates[2].paid_failover);
  EXPECT_FALSE(made.candidates[3].paid_failover);

  facts.failover_spent_micro_usd = 4'980'000;
  made = make();
  EXPECT_EQ(order(made), (Names{"anthropic/claude-opus-5-5", "engine/gemma-4-26b"}));
  EXPECT_EQ(why_not(made, "openai/gpt-5.5"),
            "failover budget of $5.00 a day is used up ($4.98); raise "
            "budget.failover_usd_per_day");
}

TEST_F(PlannerHealthTest, APayingUserIsNotCappedUnlessTheCapIsHisOwn) {
  facts.failover_spent_micro_usd = 50'000'000;
  EXPECT_EQ(order().size(), 4U);
  EXPECT_FALSE(make().candidates[1].paid_failover);
  policy.cap_is_explicit = true;
  EXPECT_EQ(order(), (Names{"anthropic/claude-opus-5-5", "engine/gemma-4-26b"}));
}

TEST_F(PlannerHealthTest, AnUnpricedTargetIsNotTakenForAFreeOne) {
  subscribe();
  policy.providers[kOpenAi].models[0].price.reset();
  facts.failover_spent_micro_usd = 4'999'000;
  EXPECT_EQ(why_not(make(), "openai/gpt-5.5").substr(0, 15), "failover budget");
}

TEST_F(PlannerHealthTest, TheLastResortDoesNotOverruleTheBudget) {
  subscribe();
  policy.tiers[2].clear();
  facts.failover_spent_micro_usd = 5'000'000;
  hold(kAnthropic, FailureClass::quota, hours(1));
  Verdict quota;
  quota.failure = FailureClass::quota;
  quota.scope = Scope::key;
  quota.cooldown = hours(1);
  health.failed(policy.providers[kAnthropic], Target{kAnthropic, "x", Tier::frontier}, 77, quota,
                now);
  break_down(kOpenAi, "gpt-5.5");
  EXPECT_TRUE(order().empty());
}

TEST_F(PlannerHealthTest, WithoutAnyTargetThePlanIsEmpty) {
  const Plan made = plan(facts, Policy{}, health, now);
  EXPECT_TRUE(made.candidates.empty());
  EXPECT_FALSE(made.held_until);
  EXPECT_EQ(made.preferred, "");
}

}  // namespace
}  // namespace nl::router
