#include "router/health.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "router/lru.h"

namespace nl::router {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

ProviderFacts cloud(const std::string& name) {
  ProviderFacts provider;
  provider.name = name;
  provider.has_key = true;
  provider.key_mark = 7;
  return provider;
}

Verdict verdict_of(FailureClass failure, Scope scope) {
  Verdict verdict;
  verdict.failure = failure;
  verdict.scope = scope;
  verdict.reason = "reason";
  return verdict;
}

class HealthTest : public testing::Test {
 protected:
  static constexpr std::uint64_t kMark = 7;

  void fail(const Target& target, const Verdict& verdict, int times = 1) {
    for (int i = 0; i < times; ++i) health.failed(anthropic, target, kMark, verdict, now);
  }
  bool open(const Target& target, std::uint64_t mark = kMark) {
    return !health.blocked(anthropic, target, mark, now);
  }
  bool begin(const Target& target) { return health.begin(anthropic, target, kMark, now); }

  Health health;
  Instant now{hours(9)};
  ProviderFacts anthropic = cloud("anthropic");
  ProviderFacts openai = cloud("openai");
  Target opus{0, "opus", Tier::frontier};
  Target haiku{0, "haiku", Tier::frontier};
  Verdict ill = verdict_of(FailureClass::provider, Scope::model);
  Verdict unreachable = verdict_of(FailureClass::network, Scope::provider);
};

TEST_F(HealthTest, NothingIsKnownAtFirst) {
  EXPECT_TRUE(open(opus));
  EXPECT_TRUE(begin(opus));
  EXPECT_TRUE(health.snapshot(now).empty());
}

TEST_F(HealthTest, TimesOfOurOwnFollowTheScaleAndStatedOnesDoNot) {
  health.scale_times(0.1);
  fail(opus, ill, 5);
  EXPECT_FALSE(open(opus));
  now += std::chrono::milliseconds(121);
  EXPECT_TRUE(open(opus));
  Verdict limited = verdict_of(FailureClass::quota, Scope::model);
  limited.cooldown = minutes(1);
  fail(haiku, limited);
  now += seconds(59);
  EXPECT_FALSE(open(haiku));
  now += seconds(1);
  EXPECT_TRUE(open(haiku));
  health.demote(1, "anthropic", now);
  EXPECT_TRUE(health.demoted(1, "anthropic", now + seconds(29)));
  EXPECT_FALSE(health.demoted(1, "anthropic", now + seconds(30)));
}

TEST_F(HealthTest, FiveFailuresShutOneModelOfOneKey) {
  fail(opus, ill, 4);
  EXPECT_TRUE(open(opus));
  fail(opus, ill);
  const auto blocked = health.blocked(anthropic, opus, kMark, now);
  ASSERT_TRUE(blocked);
  EXPECT_EQ(blocked->block, Health::Block::breaker);
  EXPECT_EQ(blocked->why, "breaker open for 1 s (5 failures in a row, last: reason)");
  EXPECT_GT(blocked->ready_at, now);
  EXPECT_FALSE(begin(opus));
  EXPECT_TRUE(open(haiku));
  EXPECT_TRUE(open(opus, 8));
}

TEST_F(HealthTest, OneProbeDecidesWhetherItOpensAgain) {
  fail(opus, ill, 5);
  now += seconds(2);
  EXPECT_TRUE(open(opus));
  EXPECT_TRUE(begin(opus));
  EXPECT_FALSE(open(opus));
  EXPECT_FALSE(begin(opus));
  health.abandoned(anthropic, opus, kMark);
  EXPECT_TRUE(begin(opus));
  health.succeeded(anthropic, opus, kMark, now);
  EXPECT_TRUE(open(opus));
  EXPECT_TRUE(begin(opus));
  EXPECT_TRUE(begin(opus));
}

TEST_F(HealthTest, TheCallersFaultsNeverCountAndGiveTheProbeBack) {
  for (const FailureClass failure : {FailureClass::request, FailureClass::capability}) {
    fail(opus, verdict_of(failure, Scope::attempt), 50);
    EXPECT_TRUE(open(opus));
  }
  fail(opus, ill, 5);
  now += seconds(2);
  ASSERT_TRUE(begin(opus));
  fail(opus, verdict_of(FailureClass::request, Scope::attempt));
  EXPECT_TRUE(begin(opus));
}

TEST_F(HealthTest, AQuotaHoldsItsScopeUntilItsReset) {
  Verdict quota = verdict_of(FailureClass::quota, Scope::model);
  quota.cooldown = minutes(5);
  fail(opus, quota);
  EXPECT_FALSE(open(opus));
  EXPECT_TRUE(open(haiku));
  EXPECT_EQ(health.blocked(anthropic, opus, kMark, now)->why, "reason, for 5 min");
  EXPECT_EQ(health.blocked(anthropic, opus, kMark, now)->block, Health::Block::quota);

  quota.scope = Scope::key;
  quota.cooldown = seconds(30);
  fail(opus, quota);
  EXPECT_FALSE(open(haiku));
  EXPECT_TRUE(open(haiku, 8));
  now += seconds(30);
  EXPECT_TRUE(open(haiku));
  EXPECT_FALSE(open(opus));
  now += minutes(5);
  EXPECT_TRUE(open(opus));
}

TEST_F(HealthTest, ALongHoldIsTestedOnceAnHour) {
  Verdict quota = verdict_of(FailureClass::quota, Scope::key);
  quota.cooldown = hours(48);
  fail(opus, quota);
  EXPECT_EQ(health.blocked(anthropic, opus, kMark, now)->why, "reason, for 2 days");
  now += minutes(59);
  EXPECT_FALSE(open(opus));
  now += minutes(1);
  EXPECT_TRUE(begin(opus));
  EXPECT_FALSE(begin(opus));
  quota.cooldown = hours(47);
  fail(opus, quota);
  EXPECT_FALSE(open(opus));
  now += hours(1);
  EXPECT_TRUE(begin(opus));
  health.succeeded(anthropic, opus, kMark, now);
  EXPECT_TRUE(begin(opus));
}

TEST_F(HealthTest, AHoldWhoseTestWouldCostMoneyIsKeptWhole) {
  Verdict quota = verdict_of(FailureClass::quota, Scope::key);
  quota.cooldown = hours(5);
  quota.probe = Probe::never;
  fail(opus, quota);
  now += hours(4);
  EXPECT_FALSE(open(opus));
  now += hours(1);
  EXPECT_TRUE(open(opus));
}

TEST_F(HealthTest, ALimitWithoutAResetGrowsUntilASuccess) {
  const Verdict throttle = verdict_of(FailureClass::quota, Scope::model);
  Duration expected = seconds(2);
  for (int i = 0; i < 7; ++i) {
    fail(opus, throttle);
    EXPECT_EQ(health.blocked(anthropic, opus, kMark, now)->ready_at, now + expected);
    now += expected;
    EXPECT_TRUE(begin(opus));
    expected = std::min<Duration>(expected * 2, seconds(60));
  }
  health.succeeded(anthropic, opus, kMark, now);
  fail(opus, throttle);
  EXPECT_EQ(health.blocked(anthropic, opus, kMark, now)->ready_at, now + seconds(2));
}

TEST_F(HealthTest, ADeadKeyStaysOutLongerWhenItIsOurOwn) {
  const Verdict dead = verdict_of(FailureClass::credential, Scope::key);
  fail(opus, dead);
  health.failed(anthropic, opus, 99, dead, now);
  now += minutes(5);
  EXPECT_TRUE(open(opus, 99));
  EXPECT_FALSE(open(opus));
  EXPECT_EQ(health.blocked(anthropic, opus, kMark, now)->block, Health::Block::credential);
  now += hours(23);
  EXPECT_FALSE(open(haiku));
  now += hours(1);
  EXPECT_TRUE(open(haiku));
}

TEST_F(HealthTest, AForbiddenModelLeavesTheOthersOfItsKey) {
  fail(opus, verdict_of(FailureClass::credential, Scope::model));
  EXPECT_FALSE(open(opus));
  EXPECT_TRUE(open(haiku));
}

TEST_F(HealthTest, AnUnreachableProviderIsShutForAllItsModels) {
  fail(opus, unreachable);  // one wait for a connection is enough
  EXPECT_FALSE(open(haiku));
  EXPECT_FALSE(open(haiku, 99));
  EXPECT_TRUE(!health.blocked(openai, opus, kMark, now));
}

TEST_F(HealthTest, TheLocalTierIsNeverBlocked) {
  ProviderFacts engine;
  engine.name = "engine";
  engine.local = true;
  const Target gemma{0, "gemma", Tier::local};
  Verdict quota = verdict_of(FailureClass::quota, Scope::key);
  quota.cooldown = hours(1);
  for (int i = 0; i < 50; ++i) {
    health.failed(engine, gemma, 0, ill, now);
    health.failed(engine, gemma, 0, unreachable, now);
    health.failed(engine, gemma, 0, quota, now);
    health.failed(engine, gemma, 0, verdict_of(FailureClass::local, Scope::attempt), now);
  }
  EXPECT_FALSE(health.blocked(engine, gemma, 0, now));
  EXPECT_TRUE(health.begin(engine, gemma, 0, now));
  EXPECT_FALSE(health.offline(now));
}

TEST_F(HealthTest, TwoUnreachableProvidersMeanOffline) {
  fail(opus, unreachable, 3);
  EXPECT_FALSE(health.offline(now));
  now += seconds(31);
  health.failed(openai, opus, kMark, unreachable, now);
  EXPECT_FALSE(health.offline(now));
  fail(opus, unreachable);
  EXPECT_TRUE(health.offline(now));
  now += hours(1);
  EXPECT_TRUE(health.offline(now));
  health.succeeded(openai, opus, kMark, now);
  EXPECT_FALSE(health.offline(now));
}

TEST_F(HealthTest, AnyAnswerEndsOffline) {
  fail(opus, unreachable);
  health.failed(openai, opus, kMark, unreachable, now);
  ASSERT_TRUE(health.offline(now));
  Verdict quota = verdict_of(FailureClass::quota, Scope::model);
  fail(opus, quota);
  EXPECT_FALSE(health.offline(now));
}

TEST_F(HealthTest, OfflineIsProbedAtGrowingIntervals) {
  fail(opus, unreachable);
  health.failed(openai, opus, kMark, unreachable, now);
  Duration expected = seconds(5);
  for (int i = 0; i < 6; ++i) {
    EXPECT_FALSE(health.probe_due(now));
    now += expected - seconds(1);
    EXPECT_FALSE(health.probe_due(now));
    now += seconds(1);
    EXPECT_TRUE(health.probe_due(now));
    EXPECT_TRUE(health.begin(openai, opus, kMark, now));
    EXPECT_FALSE(health.probe_due(now));
    health.failed(openai, opus, kMark, unreachable, now);
    expected = std::min<Duration>(expected * 2, seconds(60));
  }
}

TEST_F(HealthTest, ARejectedTokenIsReturnedOnceAMinute) {
  EXPECT_TRUE(health.first_rejection(5, now));
  EXPECT_FALSE(health.first_rejection(5, now + seconds(59)));
  EXPECT_TRUE(health.first_rejection(6, now));
  EXPECT_TRUE(health.first_rejection(5, now + seconds(120)));
}

TEST_F(HealthTest, ABrokenAnswerDemotesForItsConversationAlone) {
  health.demote(1, "anthropic", now);
  EXPECT_TRUE(health.demoted(1, "anthropic", now));
  EXPECT_FALSE(health.demoted(2, "anthropic", now));
  EXPECT_FALSE(health.demoted(1, "openai", now));
  EXPECT_TRUE(health.demoted(1, "anthropic", now + minutes(4)));
  EXPECT_FALSE(health.demoted(1, "anthropic", now + minutes(5)));
}

TEST_F(HealthTest, TheSnapshotShowsTargetsAndWhatIsShut) {
  health.succeeded(anthropic, haiku, kMark, now);
  fail(opus, ill, 5);
  Verdict quota = verdict_of(FailureClass::quota, Scope::key);
  quota.cooldown = hours(3);
  health.failed(openai, opus, kMark, quota, now);
  const auto states = health.snapshot(now);
  ASSERT_EQ(states.size(), 3U);
  EXPECT_EQ(states[0].model, "haiku");
  EXPECT_EQ(states[0].state, BreakerState::closed);
  EXPECT_EQ(states[1].model, "opus");
  EXPECT_EQ(states[1].state, BreakerState::open);
  EXPECT_EQ(states[2].provider, "openai");
  EXPECT_EQ(states[2].model, "");
  EXPECT_EQ(states[2].ready_at, now + hours(3));
}

TEST_F(HealthTest, ItsMemoryIsBounded) {
  for (std::uint64_t mark = 0; mark < 20'000; ++mark) {
    health.failed(anthropic, Target{0, "m" + std::to_string(mark), Tier::frontier}, mark, ill, now);
    health.first_rejection(mark, now);
    health.demote(mark, "anthropic", now);
  }
  EXPECT_LE(health.snapshot(now).size(), 4096U);
  EXPECT_FALSE(health.demoted(0, "anthropic", now));
  EXPECT_TRUE(health.demoted(19'999, "anthropic", now));
}

TEST_F(HealthTest, ManyThreadsMayUseIt) {
  std::atomic<int> begun = 0;
  std::vector<std::thread> threads;
  for (int id = 0; id < 4; ++id) {
    threads.emplace_back([this, id, &begun] {
      Instant time = now;
      for (int i = 0; i < 2000; ++i) {
        time += std::chrono::milliseconds(20);
        const Target target{0, "m" + std::to_string(i % 7), Tier::frontier};
        if (health.blocked(anthropic, target, kMark, time)) continue;
        if (!health.begin(anthropic, target, kMark, time)) continue;
        ++begun;
        if ((i + id) % 3 == 0) {
          health.failed(anthropic, target, kMark, i % 2 == 0 ? ill : unreachable, time);
        } else {
          health.succeeded(anthropic, target, kMark, time);
        }
        health.first_rejection(static_cast<std::uint64_t>(i), time);
        health.demote(static_cast<std::uint64_t>(i), "anthropic", time);
        health.demoted(static_cast<std::uint64_t>(i), "anthropic", time);
        if (i % 100 == 0) health.snapshot(time);
        health.offline(time);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(begun.load(), 0);
}

TEST(LruTest, TheLongestUnusedGoesFirst) {
  Lru<int> lru(2);
  lru.get("a") = 1;
  lru.get("b") = 2;
  lru.touch("a");
  lru.get("c") = 3;
  EXPECT_EQ(lru.size(), 2U);
  EXPECT_NE(lru.find("a"), nullptr);
  EXPECT_EQ(lru.find("b"), nullptr);
  EXPECT_EQ(*lru.find("c"), 3);
  lru.erase("a");
  EXPECT_EQ(lru.find("a"), nullptr);
}

}  // namespace
}  // namespace nl::router
