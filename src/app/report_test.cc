#include "app/report.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

#include "app/status_text.h"

namespace nl::app {
namespace {

WallTime at(std::int64_t seconds) {
  return WallTime(std::chrono::seconds(seconds));
}

class Since : public testing::Test {
 protected:
  Since() {
    setenv("TZ", "UTC", 1);
    tzset();
  }
  // 2026-11-25 13:00:00 UTC
  static constexpr std::int64_t kNow = 1'795'611'600;
  std::int64_t seconds(std::string_view text) {
    const auto since = parse_since(text, at(kNow));
    EXPECT_TRUE(since) << text;
    return since.value_or(0) / 1000;
  }
};

TEST_F(Since, UnderstandsDaysSpansAndDates) {
  EXPECT_EQ(seconds("today"), kNow - 13 * 3600);
  EXPECT_EQ(seconds("yesterday"), kNow - 37 * 3600);
  EXPECT_EQ(seconds("24h"), kNow - 24 * 3600);
  EXPECT_EQ(seconds("90m"), kNow - 90 * 60);
  EXPECT_EQ(seconds("7d"), kNow - 7 * 86400);
  EXPECT_EQ(seconds("2026-11-25"), kNow - 13 * 3600);
}

TEST_F(Since, RefusesTheRestInOneLine) {
  for (const char* text : {"", "x", "h", "-3h", "24", "2026-13-01", "2026-02-30", "lastweek"}) {
    EXPECT_FALSE(parse_since(text, at(kNow))) << text;
  }
}

state::Totals night() {
  state::Totals totals;
  totals.requests = 212;
  totals.failovers = 180;
  totals.cost_micro_usd = 1'900'000;
  totals.dark_ms = 3 * 3600 * 1000;
  totals.by_target.push_back({"router", "openrouter", "openai/gpt-5.5", 180, 1000, 200, 1'900'000});
  return totals;
}

TEST(Report, SaysTheNightInOneLine) {
  const std::string text = report_text(night());
  EXPECT_EQ(text.substr(0, text.find('\n')), "3 h dark, 212 requests, 0 errors, $1.90");
  EXPECT_NE(text.find("openrouter/openai/gpt-5.5"), std::string::npos);
  EXPECT_EQ(report_text(state::Totals()), "0 ms dark, 0 requests, 0 errors, $0.00\n");
}

TEST(Report, IsJsonForPrograms) {
  const std::string text = report_json(night(), 1, 2);
  EXPECT_NE(text.find("\"requests\":212"), std::string::npos);
  EXPECT_NE(text.find("\"cost_usd\":1.9"), std::string::npos);
}

TEST(Why, TellsTheStoryInOrder) {
  state::RequestRow row;
  row.id = "req_abc";
  row.started_unix_ms = 1'795'611'600'000;
  row.duration_ms = 12'400;
  row.dialect = "anthropic";
  row.client = "claude-cli/2.1";
  row.model_asked = "claude-opus-5-5";
  row.stream = true;
  row.outcome = "ok";
  row.status = 200;
  row.tier = "router";
  row.provider = "openrouter";
  row.model = "openai/gpt-5.5";
  row.preferred = "anthropic/claude-opus-5-5";
  row.reason = "429 limit, resets 23:10";
  row.plan_note = "openrouter/openai/gpt-5.5 (tier router)\nnot gemini: no key\n";
  row.usage.input = 100;
  row.usage.cache_read = 900;
  row.usage.output = 50;
  row.cost_micro_usd = 120'000;
  row.paid_failover = true;
  row.attempts.push_back({1,
                          "frontier",
                          "anthropic",
                          "claude-opus-5-5",
                          "status",
                          429,
                          "quota",
                          "limit",
                          0,
                          120,
                          -1,
                          {},
                          -1});
  row.attempts.push_back({2,
                          "router",
                          "openrouter",
                          "openai/gpt-5.5",
                          "ok",
                          200,
                          "",
                          "",
                          121,
                          12'200,
                          900,
                          {},
                          120'000});
  const std::string text = why_text(row);
  const char* expected =
      "asked     claude-opus-5-5 as anthropic, streamed, by claude-cli/2.1\n"
      "preferred anthropic/claude-opus-5-5\n"
      "planned   openrouter/openai/gpt-5.5 (tier router)\n"
      "left out  gemini: no key\n"
      "attempt 1 anthropic/claude-opus-5-5 (tier frontier) at +0 ms: status 429, class quota after "
      "120 ms: limit\n"
      "attempt 2 openrouter/openai/gpt-5.5 (tier router) at +121 ms: answered in 12 s, first "
      "content "
      "after 900 ms\n"
      "answered  by openrouter/openai/gpt-5.5 (tier router): ok, the client was told 200\n"
      "because   429 limit, resets 23:10\n"
      "tokens    1000 in (900 from cache), 50 out\n"
      "cost      $0.12, paid failover\n";
  EXPECT_EQ(text.substr(text.find('\n') + 1), expected);
}

const char* kStatus =
    R"({"version":"0.1.0","pid":7,"uptime_s":75,"listen":["127.0.0.1:2300"],"tiers":[)"
    R"({"tier":"frontier","state":"down","targets":[{"provider":"anthropic","model":"",)"
    R"("state":"down","reason":"429 limit","ready_in_s":3700}]},)"
    R"({"tier":"router","state":"up","targets":[]},)"
    R"({"tier":"local","state":"absent","targets":[]}],)"
    R"("now":{"tier":"router","provider":"openrouter","model":"openai/gpt-5.5",)"
    R"("reason":"429 limit"},)"
    R"("today":{"requests":3,"errors":0,"failovers":2,"cost_usd":0.5,"failover_usd":0.25,)"
    R"("failover_cap_usd":5.0},"offline":false,"ledger_dropped":0})";

TEST(Status, ReadsForPeopleAndAsALine) {
  const auto text = status_text(kStatus);
  ASSERT_TRUE(text);
  EXPECT_NE(text->find("  anthropic: down, 429 limit (again in 1 h 1 min)\n"), std::string::npos)
      << *text;
  EXPECT_NE(text->find("failover  $0.25 of $5.00 spent today\n"), std::string::npos);
  EXPECT_EQ(status_line(kStatus).value_or(""), "nightlight: tier 2 openrouter: 429 limit");
}

TEST(Status, RefusesWhatIsNoGateway) {
  EXPECT_FALSE(status_text("<html>"));
  EXPECT_FALSE(status_line("{\"pid\":1}"));
}

}  // namespace
}  // namespace nl::app
