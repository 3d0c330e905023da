#include "router/planner.h"

#include <gtest/gtest.h>

#include "router/planner_fixture.h"

namespace nl::router {
namespace {

class PlannerTest : public testing::Test, public PlannerFixture {};

TEST_F(PlannerTest, WalksTheTiersWithEachProvidersModelOfTheSameClass) {
  EXPECT_EQ(order(), (Names{"anthropic/claude-opus-5-5", "openai/gpt-5.5",
                            "openrouter/anthropic/claude-opus-5.5", "engine/gemma-4-26b"}));
  EXPECT_EQ(make().preferred, "anthropic/claude-opus-5-5");
  EXPECT_EQ(make().candidates[0].why, "tier frontier");
  EXPECT_TRUE(make().skipped.empty());
  EXPECT_FALSE(make().held_until);
}

TEST_F(PlannerTest, ASmallModelBecomesSmallModelsElsewhere) {
  facts.model = "claude-haiku-4-5-20251001";
  EXPECT_EQ(order(), (Names{"anthropic/claude-haiku-4-5-20251001", "openai/gpt-5-mini",
                            "openrouter/google/gemini-3.8-flash", "engine/gemma-4-26b"}));
  EXPECT_EQ(make().candidates[0].facts.context_tokens, 200'000);
}

TEST_F(PlannerTest, TheAskedModelsOwnProviderGoesFirstInItsTier) {
  facts.model = "gpt-5.5";
  EXPECT_EQ(order(), (Names{"openai/gpt-5.5", "anthropic/claude-opus-5-5",
                            "openrouter/anthropic/claude-opus-5.5", "engine/gemma-4-26b"}));
  facts.model = "gpt-99-unheard-of";
  EXPECT_EQ(order()[0], "openai/gpt-99-unheard-of");
}

TEST_F(PlannerTest, AnUnknownModelIsTakenForALargeOneUnlessItsNameSaysOtherwise) {
  facts.model = "mystery";
  EXPECT_EQ(order()[0], "anthropic/claude-opus-5-5");
  facts.model = "mystery-flash";
  EXPECT_EQ(order()[0], "anthropic/claude-haiku-4-5");
  facts.model = "mystery-sonnet-2";
  EXPECT_EQ(order()[0], "anthropic/claude-sonnet-5");
  facts.model = "gemini-3-pro";  // "mini" inside a word is no word
  EXPECT_EQ(order()[0], "anthropic/claude-opus-5-5");
}

TEST_F(PlannerTest, AProviderOfWhichNothingIsKnownTakesTheNameAsItIs) {
  policy.providers[kOpenRouter].models.clear();
  EXPECT_EQ(order()[2], "openrouter/claude-opus-5-5");
}

TEST_F(PlannerTest, TargetsThatTheRequestNamesStandInForRoutesTasksAndTiers) {
  const Route named{"x-nightlight-route @local", {tier(Tier::local)}, false};
  policy.routes = {{"*", {tier(Tier::router)}, false}};
  policy.tasks["code_review"] = {alone(kOpenAi)};
  facts.task = "code_review";
  facts.route = &named;
  EXPECT_EQ(order(), (Names{"engine/gemma-4-26b"}));
  EXPECT_EQ(make().candidates[0].why, "x-nightlight-route @local");
  EXPECT_EQ(make().preferred, "engine/gemma-4-26b");
  EXPECT_EQ(make().label, "code_review");
  EXPECT_FALSE(make().candidates[0].paid_failover);

  const Route models{"", {exactly(kOpenRouter, "x/new"), alone(kAnthropic)}, false};
  facts.route = &models;
  EXPECT_EQ(order(), (Names{"openrouter/x/new", "anthropic/claude-opus-5-5"}));
  policy.share = Share::local;
  EXPECT_TRUE(order().empty());
}

TEST_F(PlannerTest, AStatedTaskPicksItsTargetsWhateverTheWordsSay) {
  policy.tasks["drafting_email"] = {alone(kOpenRouter)};
  facts.task = "drafting_email";
  facts.last_user = "Summarise this.";
  facts.input_tokens = 1000;
  EXPECT_EQ(make().label, "drafting_email");
  EXPECT_EQ(order()[0], "openrouter/anthropic/claude-opus-5.5");
  facts.tools = true;
  EXPECT_EQ(make().label, "drafting_email");
  facts.direct = true;
  EXPECT_EQ(make().label, "");
}

TEST_F(PlannerTest, WhatMayNotLeaveThisMachineDoesNot) {
  facts.this_machine_only = true;
  EXPECT_EQ(order(), (Names{"engine/gemma-4-26b"}));
  EXPECT_EQ(why_not(make(), "anthropic/claude-opus-5-5"), "the request stays on this machine");
  policy.providers[kEngine].models[0].name = "gemma4:31b-cloud";
  EXPECT_TRUE(order().empty());
  facts.this_machine_only = false;
  EXPECT_EQ(order().back(), "engine/gemma4:31b-cloud");
  policy.share = Share::local;
  EXPECT_TRUE(order().empty());
  EXPECT_EQ(why_not(make(), "engine/gemma4:31b-cloud"),
            "the request stays on this machine and this model runs elsewhere");
  policy.share = Share::any;
  facts.this_machine_only = true;
  policy.providers[kEngine].models[0].name = "gemma4:31b";
  EXPECT_EQ(order().size(), 1U);
  policy.providers[kEngine].local = false;
  EXPECT_TRUE(order().empty());
}

TEST_F(PlannerTest, AModelBelowTheFloorOfALabelComesLastButAnswersBeforeNobodyDoes) {
  facts.last_user = "Summarise this text.";
  facts.input_tokens = 1000;
  policy.tasks["summarisation"] = {alone(kEngine)};
  EXPECT_EQ(order()[0], "engine/gemma-4-26b");
  policy.proofs["summarisation"]["engine/gemma-4-26b"] = Proof::safe;
  EXPECT_EQ(order()[0], "engine/gemma-4-26b");
  EXPECT_EQ(make().candidates[0].proof, Proof::safe);

  policy.proofs["summarisation"]["engine/gemma-4-26b"] = Proof::not_yet;
  EXPECT_EQ(order().back(), "engine/gemma-4-26b");
  EXPECT_EQ(make().candidates.back().why, "task summarisation, not yet good enough by your tasks");
  // What it gives way to is the preference, not a failover that is paid for.
  EXPECT_EQ(make().preferred, "anthropic/claude-opus-5-5");
  EXPECT_FALSE(make().candidates[0].paid_failover);
  const Route named{"", {tier(Tier::local), tier(Tier::frontier)}, false};
  facts.route = &named;  // whoever names targets gets them in that order
  EXPECT_EQ(order()[0], "engine/gemma-4-26b");
  facts.route = nullptr;
  policy.share = Share::local;
  EXPECT_EQ(order(), (Names{"engine/gemma-4-26b"}));
  policy.share = Share::any;
  facts.last_user = "Hello.";  // no task of that label
  EXPECT_EQ(make().candidates.back().why, "tier local");
  EXPECT_EQ(make().candidates.back().proof, Proof::none);
}

TEST_F(PlannerTest, ARouteIsAllThereIs) {
  policy.routes = {{"claude-haiku-*", {tier(Tier::router), tier(Tier::local)}, false}};
  EXPECT_EQ(order().size(), 4U);
  facts.model = "claude-haiku-4-5";
  EXPECT_EQ(order(), (Names{"openrouter/google/gemini-3.8-flash", "engine/gemma-4-26b"}));
  EXPECT_EQ(make().candidates[0].why, "route claude-haiku-*");
  policy.providers[kOpenRouter].has_key = false;
  policy.providers[kEngine].keyless = false;
  EXPECT_TRUE(order().empty());
}

TEST_F(PlannerTest, TheUsersRoutesComeBeforeTheBuiltInOnes) {
  policy.routes = {{"*", {alone(kEngine)}, true},
                   {"claude-*", {exactly(kOpenAi, "gpt-5-mini")}, false}};
  EXPECT_EQ(order(), Names{"openai/gpt-5-mini"});
  facts.model = "gpt-5.5";
  EXPECT_EQ(order(), Names{"engine/gemma-4-26b"});
}

TEST_F(PlannerTest, ARoutesListIsCutToSixInAll) {
  std::vector<TargetSpec> many;
  for (int i = 0; i < 9; ++i) many.push_back(exactly(kOpenAi, "gpt-" + std::to_string(i)));
  many.push_back(alone(kEngine));
  policy.routes = {{"*", many, false}};
  const Plan made = make();
  EXPECT_EQ(made.candidates.size(), 6U);
  EXPECT_EQ(made.candidates.back().target.model, "gemma-4-26b");
  EXPECT_EQ(why_not(made, "openai/gpt-5"), "enough others stand before it");
}

TEST_F(PlannerTest, ATierGivesTwoTargetsAtMost) {
  policy.tiers[0].push_back(exactly(kOpenAi, "gpt-5-mini"));
  policy.tiers[2].push_back(exactly(kEngine, "other"));
  const Plan made = make();
  EXPECT_EQ(order(made), (Names{"anthropic/claude-opus-5-5", "openai/gpt-5.5",
                                "openrouter/anthropic/claude-opus-5.5", "engine/gemma-4-26b"}));
  // A place freed by illness is taken by the next one.
  break_down(kAnthropic, "claude-opus-5-5");
  EXPECT_EQ(order(), (Names{"openai/gpt-5.5", "openai/gpt-5-mini",
                            "openrouter/anthropic/claude-opus-5.5", "engine/gemma-4-26b"}));
}

TEST_F(PlannerTest, TaskTargetsStandBeforeTheTiers) {
  policy.tasks["code_review"] = {exactly(kOpenRouter, "openai/gpt-5.3-codex")};
  facts.last_user = "Please review:\ndiff --git a/x b/x\n@@ -1 +1 @@\n-a\n+b\n";
  const Plan made = make();
  EXPECT_EQ(made.label, "code_review");
  EXPECT_EQ(order(made),
            (Names{"openrouter/openai/gpt-5.3-codex", "anthropic/claude-opus-5-5", "openai/gpt-5.5",
                   "openrouter/anthropic/claude-opus-5.5", "engine/gemma-4-26b"}));
  EXPECT_EQ(made.candidates[0].why, "task code_review");
  EXPECT_EQ(made.preferred, "openrouter/openai/gpt-5.3-codex");
}

TEST_F(PlannerTest, AUsersRouteOutranksATask) {
  policy.tasks["code_review"] = {exactly(kOpenRouter, "openai/gpt-5.3-codex")};
  policy.routes = {{"claude-*", {alone(kAnthropic)}, false}};
  facts.last_user = "Please review:\ndiff --git a/x b/x\n@@ -1 +1 @@\n-a\n+b\n";
  EXPECT_EQ(order(), Names{"anthropic/claude-opus-5-5"});
}

TEST_F(PlannerTest, PrivacyKeepsProvidersOut) {
  policy.share = Share::configured;
  const Plan made = make();
  EXPECT_EQ(order(made),
            (Names{"anthropic/claude-opus-5-5", "openai/gpt-5.5", "engine/gemma-4-26b"}));
  EXPECT_EQ(why_not(made, "openrouter/anthropic/claude-opus-5.5"),
            "privacy.share is \"configured\"");
  policy.share = Share::local;
  EXPECT_EQ(order(), Names{"engine/gemma-4-26b"});
}

TEST_F(PlannerTest, AClientsTokenGoesToItsOwnVendorOnly) {
  for (auto& provider : policy.providers) provider.has_key = false;
  facts.client_vendor = Vendor::anthropic;
  Plan made = make();
  EXPECT_EQ(order(made), (Names{"anthropic/claude-opus-5-5", "engine/gemma-4-26b"}));
  EXPECT_EQ(made.candidates[0].credential, CredentialSource::client);
  EXPECT_EQ(made.candidates[1].credential, CredentialSource::none_needed);
  EXPECT_EQ(why_not(made, "openai/gpt-5.5"), "no key");

  policy.providers[kAnthropic].has_key = true;
  EXPECT_EQ(make().candidates[0].credential, CredentialSource::configured);

  // A provider of no known vendor gets it only when the configuration says so.
  policy.providers[kOpenRouter].vendor = Vendor::other;
  facts.client_vendor = Vendor::other;
  EXPECT_EQ(order().size(), 2U);
  policy.providers[kOpenRouter].takes_client_credential = true;
  EXPECT_EQ(order().size(), 3U);
}

TEST_F(PlannerTest, OnlyThisDialectLeavesItsOwnProviders) {
  facts.only_this_dialect = true;
  facts.dialect = 0;
  EXPECT_EQ(order(), Names{"anthropic/claude-opus-5-5"});
  EXPECT_EQ(why_not(make(), "openai/gpt-5.5"), "the request has no form in its dialect");
}

TEST_F(PlannerTest, ATargetWithoutSightGoesOnlyWhenAnotherCanSee) {
  facts.images = true;
  EXPECT_EQ(order(), (Names{"anthropic/claude-opus-5-5", "openai/gpt-5.5",
                            "openrouter/anthropic/claude-opus-5.5"}));
  EXPECT_EQ(why_not(make(), "engine/gemma-4-26b"), "takes no images");
  for (const std::size_t provider : {kAnthropic, kOpenAi, kOpenRouter}) {
    hold(provider, FailureClass::quota, hours(1));
  }
  EXPECT_EQ(order(), Names{"engine/gemma-4-26b"});
}

TEST_F(PlannerTest, AWindowThatIsTooSmallGoesOnlyWhenAnotherFits) {
  facts.input_tokens = 400'000;
  facts.max_tokens = 128'000;
  EXPECT_EQ(order(), (Names{"anthropic/claude-opus-5-5", "openrouter/anthropic/claude-opus-5.5"}));
  EXPECT_EQ(why_not(make(), "openai/gpt-5.5"), "prompt too long for its window");
  hold(kAnthropic, FailureClass::quota, hours(1));
  hold(kOpenRouter, FailureClass::quota, hours(1));
  EXPECT_EQ(order(), (Names{"openai/gpt-5.5", "engine/gemma-4-26b"}));
  facts.input_tokens = 27'000;  // 28,350 and 4,096 for the answer just fit the engine
  EXPECT_EQ(order().back(), "engine/gemma-4-26b");
}

TEST_F(PlannerTest, DirectIsTheOwnProviderAndNothingElse) {
  facts.direct = true;
  policy.routes = {{"*", {alone(kEngine)}, false}};
  break_down(kAnthropic, "claude-opus-5-5");
  EXPECT_EQ(order(), Names{"anthropic/claude-opus-5-5"});
  facts.model = "gpt-5.5";
  EXPECT_EQ(order(), Names{"openai/gpt-5.5"});
  policy.share = Share::local;
  EXPECT_EQ(order(), Names{"engine/gemma-4-26b"});
}

TEST(CostTest, IsRoundedUpAndExactForLargeCounts) {
  const chat::Price price{5'000'000, 25'000'000, 0, 0};
  EXPECT_EQ(cost_micro_usd(price, 0, 0), 0);
  EXPECT_EQ(cost_micro_usd(price, 1, 1), 30);
  EXPECT_EQ(cost_micro_usd({1, 1, 0, 0}, 1, 1), 2);
  EXPECT_EQ(cost_micro_usd(price, 1'000'000'000'000, 0), 5'000'000'000'000);
}

TEST_F(PlannerTest, TheSelfTestModelStandsInForNobody) {
  policy.providers[kEngine].self_test = true;
  policy.providers[kEngine].models = {model("ember", ModelClass::large, 32'768)};
  Plan made = plan(facts, policy, health, now);
  for (const Candidate& candidate : made.candidates) {
    EXPECT_NE(candidate.target.provider, kEngine);
  }
  ASSERT_FALSE(made.skipped.empty());
  EXPECT_NE(made.skipped.front().why.find("nightlight pull"), std::string::npos);

  // A key somewhere is enough, even one that may not be used.
  policy.share = Share::local;
  made = plan(facts, policy, health, now);
  EXPECT_TRUE(made.candidates.empty());
  policy.share = Share::any;

  // Nothing else exists: no key, no credential, no server.
  for (ProviderFacts& provider : policy.providers) provider.has_key = false;
  made = plan(facts, policy, health, now);
  ASSERT_EQ(made.candidates.size(), 1U);
  EXPECT_EQ(made.candidates.front().target.model, "ember");
  facts.client_vendor = Vendor::openai;
  made = plan(facts, policy, health, now);
  for (const Candidate& candidate : made.candidates) {
    EXPECT_NE(candidate.target.provider, kEngine);
  }
}

TEST_F(PlannerTest, TheSelfTestModelAnswersForItselfByName) {
  policy.providers[kEngine].self_test = true;
  policy.providers[kEngine].models = {model("ember", ModelClass::large, 32'768)};
  facts.model = "ember";
  const Plan made = plan(facts, policy, health, now);
  ASSERT_EQ(made.candidates.size(), 1U);
  EXPECT_EQ(made.candidates.front().target.provider, kEngine);
}

}  // namespace
}  // namespace nl::router
