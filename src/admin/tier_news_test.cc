#include "admin/tier_news.h"

#include <gtest/gtest.h>

namespace nl::admin {
namespace {

using gateway::Answering;
using std::chrono::seconds;

const Answering kClaude{"anthropic", "frontier", "anthropic", "claude-x", ""};
const Answering kRouter{"anthropic", "router", "openrouter", "m",
                        "anthropic/claude-x: 429 rate limit"};
const Answering kLocal{"anthropic", "local", "engine", "gemma", "anthropic: no network"};

TEST(TierNews, SaysWhoStandsInAndWhoIsBack) {
  TierWatch watch(seconds(60));
  EXPECT_TRUE(watch.look({}, Instant()).empty());
  EXPECT_TRUE(watch.look({kClaude}, Instant()).empty());
  const auto news = watch.look({kRouter}, Instant());
  ASSERT_EQ(news.size(), 1u);
  EXPECT_EQ(news[0].text, "Claude limit reached: OpenRouter answers");
  EXPECT_EQ(news[0].tier, "router");
  EXPECT_TRUE(watch.look({kRouter}, Instant() + seconds(100)).empty());
  const auto back = watch.look({kClaude}, Instant() + seconds(101));
  ASSERT_EQ(back.size(), 1u);
  EXPECT_EQ(back[0].text, "Claude answers again");
}

TEST(TierNews, AProviderThatFlapsIsSaidOncePerQuietTime) {
  TierWatch watch(seconds(60));
  int said = 0;
  for (int i = 0; i < 600; ++i) {
    const auto at = Instant() + seconds(i);
    said += static_cast<int>(watch.look({i % 2 == 0 ? kRouter : kClaude}, at).size());
  }
  EXPECT_GE(said, 9);
  EXPECT_LE(said, 10);
  // What stands in the end is said once the time is over.
  EXPECT_EQ(watch.look({kLocal}, Instant() + seconds(700)).size(), 1u);
}

TEST(TierNews, ASuccessorDoesNotSayAgainWhatStands) {
  TierWatch watch(seconds(60));
  EXPECT_EQ(watch.look({kRouter}, Instant()).size(), 1u);
  TierWatch next(seconds(5));
  next.take_over(std::move(watch));
  EXPECT_TRUE(next.look({kRouter}, Instant() + seconds(1)).empty());
  EXPECT_TRUE(next.look({kClaude}, Instant() + seconds(4)).empty()) << "within the quiet time";
  EXPECT_EQ(next.look({kClaude}, Instant() + seconds(5)).size(), 1u);
}

TEST(TierNews, OneProvidersTroubleDoesNotHideAnothers) {
  TierWatch watch(seconds(60));
  const Answering other{"openai", "router", "openrouter", "m", "openai: 503 overloaded"};
  EXPECT_EQ(watch.look({kRouter, other}, Instant()).size(), 2u);
  const auto local = watch.look({kLocal, other}, Instant() + seconds(61));
  ASSERT_EQ(local.size(), 1u);
  EXPECT_EQ(local[0].text, "Claude is out of reach: the model on this machine answers");
}

TEST(TierNews, TheJsonIsEscaped) {
  const TierNews news{"a \"b\"\n", "mine", "local", "engine", "m", "x"};
  EXPECT_EQ(news_json(news, "2026-11-25T23:00:00Z"),
            R"({"event":"stand-in","text":"Nightlight: a \"b\"\n","preferred":"mine",)"
            R"("tier":"local","provider":"engine","model":"m","reason":"x",)"
            R"("at":"2026-11-25T23:00:00Z"})");
}

}  // namespace
}  // namespace nl::admin
