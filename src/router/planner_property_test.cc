// What holds of every plan, whatever the policy, the request and the health.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <set>
#include <string>
#include <utility>

#include "router/planner_fixture.h"

namespace nl::router {
namespace {

class PlannerPropertyTest : public testing::Test, public PlannerFixture {
 protected:
  bool chance(int percent) { return static_cast<int>(random() % 100) < percent; }
  std::size_t pick(std::size_t count) { return random() % count; }

  void shake_policy() {
    for (ProviderFacts& provider : policy.providers) {
      provider.has_key = !provider.local && chance(70);
      provider.in_config = chance(70);
      provider.takes_client_credential = chance(30);
      provider.billing = provider.local ? Billing::free
                         : chance(30)   ? Billing::flat
                                        : Billing::metered;
    }
    policy.share = std::array{Share::any, Share::any, Share::configured, Share::local}[pick(4)];
    policy.cap_is_explicit = chance(30);
    policy.routes.clear();
    if (chance(30)) {
      Route route{"*", {}, chance(50)};
      for (std::size_t i = pick(9); i > 0; --i) {
        route.targets.push_back(chance(30) ? tier(static_cast<Tier>(pick(3)))
                                           : exactly(pick(4), "m" + std::to_string(pick(9))));
      }
      policy.routes.push_back(route);
    }
    policy.tiers[0].clear();
    for (std::size_t i = pick(5); i > 0; --i) policy.tiers[0].push_back(alone(pick(3)));
  }
  void shake_request() {
    facts = RequestFacts{};
    static constexpr std::array<std::string_view, 4> kModels = {
        "claude-opus-5-5", "gpt-5-mini", "auto", "anthropic/claude-opus-5.5"};
    facts.model = kModels[pick(4)];
    facts.images = chance(20);
    facts.input_tokens = static_cast<std::int64_t>(pick(600'000));
    facts.max_tokens = static_cast<std::int64_t>(pick(64'000));
    facts.only_this_dialect = chance(10);
    facts.conversation = pick(3);
    if (chance(60)) facts.client_vendor = chance(50) ? Vendor::anthropic : Vendor::openai;
    facts.client_subscription = chance(50);
    facts.client_mark = 77;
    facts.failover_spent_micro_usd = static_cast<std::int64_t>(pick(6'000'000));
  }
  void shake_health() {
    const std::size_t provider = pick(4);
    const ProviderFacts& its = policy.providers[provider];
    const Target target{provider, chance(50) ? "claude-opus-5-5" : "gpt-5.5", its.tier};
    Verdict verdict;
    verdict.failure = static_cast<FailureClass>(pick(7));
    verdict.scope = static_cast<Scope>(pick(4));
    verdict.reason = "reason";
    if (chance(30)) verdict.cooldown = seconds(pick(4000));
    const std::uint64_t mark = chance(50) ? its.key_mark : 77;
    for (std::size_t i = pick(7); i > 0; --i) health.failed(its, target, mark, verdict, now);
    if (chance(30)) health.succeeded(its, target, mark, now);
    if (chance(10)) health.demote(pick(3), its.name, now);
    now += seconds(pick(20));
  }

  void expect_sound(const Plan& made) {
    std::set<std::pair<std::size_t, std::string>> seen;
    std::array<std::size_t, 3> per_tier{};
    for (const Candidate& candidate : made.candidates) {
      const ProviderFacts& provider = policy.providers[candidate.target.provider];
      EXPECT_TRUE(seen.insert({candidate.target.provider, candidate.target.model}).second);
      ++per_tier[static_cast<std::size_t>(candidate.target.tier)];
      expect_allowed(candidate, provider);
      expect_paid_for(candidate);
    }
    EXPECT_LE(per_tier[0] + per_tier[1], 5U);
    EXPECT_LE(per_tier[2], 1U);
    if (policy.routes.empty()) {
      EXPECT_LE(per_tier[0], 2U);
      EXPECT_LE(per_tier[1], 2U);
    }
    if (std::ranges::any_of(made.candidates, &Candidate::last_resort)) {
      EXPECT_EQ(made.candidates.size(), 1U);
      EXPECT_TRUE(made.held_until);
    }
  }
  void expect_allowed(const Candidate& candidate, const ProviderFacts& provider) {
    if (policy.share == Share::local) {
      EXPECT_TRUE(provider.local);
    }
    if (policy.share == Share::configured) {
      EXPECT_TRUE(provider.in_config || provider.local);
    }
    if (facts.only_this_dialect) {
      EXPECT_EQ(provider.dialect, facts.dialect);
    }
    std::uint64_t mark = 0;
    switch (candidate.credential) {
      case CredentialSource::configured:
        EXPECT_TRUE(provider.has_key);
        mark = provider.key_mark;
        break;
      case CredentialSource::client:
        EXPECT_FALSE(provider.has_key);
        EXPECT_EQ(facts.client_vendor, provider.vendor);
        mark = 77;
        break;
      case CredentialSource::none_needed:
        EXPECT_TRUE(provider.keyless);
        break;
    }
    const auto blocked = health.blocked(provider, candidate.target, mark, now);
    EXPECT_EQ(blocked.has_value(), candidate.last_resort);
    if (blocked) {
      EXPECT_EQ(blocked->block, Health::Block::breaker);
    }
  }
  void expect_paid_for(const Candidate& candidate) {
    if (!candidate.paid_failover) return;
    const std::int64_t output = std::min<std::int64_t>(facts.max_tokens, 4096);
    const std::int64_t cost =
        cost_micro_usd(candidate.facts.price.value_or(chat::Price{5'000'000, 25'000'000, 0, 0}),
                       facts.input_tokens, output);
    EXPECT_LE(facts.failover_spent_micro_usd + cost, policy.failover_cap_micro_usd);
  }

  std::mt19937 random{20'260'101};
};

TEST_F(PlannerPropertyTest, EveryPlanKeepsItsBounds) {
  for (int round = 0; round < 4000; ++round) {
    if (round % 20 == 0) shake_policy();
    shake_request();
    shake_health();
    const Plan made = make();
    SCOPED_TRACE(round);
    expect_sound(made);
    if (testing::Test::HasFailure()) break;
    // The same question has the same answer: planning changes nothing.
    ASSERT_EQ(order(make()), order(made));
  }
}

}  // namespace
}  // namespace nl::router
