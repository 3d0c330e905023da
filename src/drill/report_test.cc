#include "drill/report.h"

#include <gtest/gtest.h>

#include "drill/switchboard.h"

namespace nl::drill {
namespace {

state::RequestRow row(const std::string& id, std::int64_t at, const std::string& tier,
                      const std::string& outcome) {
  state::RequestRow made;
  made.id = id;
  made.started_unix_ms = at;
  made.duration_ms = 900;
  made.dialect = "anthropic";
  made.stream = true;
  made.outcome = outcome;
  made.tier = tier;
  made.provider = tier == "frontier" ? "anthropic" : "openrouter";
  made.model = "m|1";
  made.usage.input = 100;
  made.usage.output = 7;
  state::AttemptRow attempt;
  attempt.started_ms = 40;
  attempt.first_content_ms = 60;
  made.attempts.push_back(attempt);
  return made;
}

DrillFacts facts() {
  DrillFacts made;
  made.date = "2026-11-25 17:30";
  made.duration_ms = 61'200;
  made.verdict = "Passed";
  made.model = "ember";
  made.client = "plain requests";
  made.steps.resize(2);
  made.steps[0].name = "everything is up";
  made.steps[0].from_ms = 1000;
  made.steps[1].name = "tier 1 <dark>";
  made.steps[1].cut = "tier 1";
  made.steps[1].from_ms = 5000;
  made.rows = {row("req_a", 900, "frontier", "ok"), row("req_b", 4099, "frontier", "ok"),
               row("req_c", 4100, "router", "truncated"), row("req_d", 9000, "router", "ok")};
  made.rows[3].attempts[0].started_ms = 200;
  made.rows[3].paid_failover = true;
  made.rows[3].cost_micro_usd = 1234;
  return made;
}

TEST(DrillReport, DealsRowsToTheStepInWhichTheyEnded) {
  const DrillFacts made = facts();
  ASSERT_EQ(rows_of(made, 0).size(), 2u);
  EXPECT_EQ(rows_of(made, 0)[1]->id, "req_b");
  ASSERT_EQ(rows_of(made, 1).size(), 2u);
  EXPECT_EQ(rows_of(made, 1)[0]->id, "req_c");
}

TEST(DrillReport, SumsUp) {
  const DrillSums sums = sum_up(rows_of(facts(), 1));
  EXPECT_EQ(sums.requests, 2);
  EXPECT_EQ(sums.broken, 1);
  EXPECT_EQ(sums.input_tokens, 200);
  EXPECT_EQ(sums.output_tokens, 14);
  EXPECT_EQ(sums.cost_micro_usd, 1234);
  EXPECT_EQ(sums.first_words_ms, 100);  // the lower of two in the middle
}

TEST(DrillReport, AWholeAnswerHasNoFirstWords) {
  state::RequestRow whole = row("req_a", 0, "frontier", "ok");
  EXPECT_EQ(first_words_ms(whole), 100);
  whole.stream = false;
  EXPECT_EQ(first_words_ms(whole), -1);
  whole.stream = true;
  whole.attempts.back().first_content_ms = -1;
  EXPECT_EQ(first_words_ms(whole), -1);
}

TEST(DrillReport, SaysWhatWasRealAndWhatItCost) {
  const std::string text = page_markdown(drill_page(facts()));
  EXPECT_TRUE(text.starts_with("# Blackout drill of 2026-11-25 17:30\n"));
  EXPECT_EQ(text.find("## What was real"), text.rfind("## What was real"));
  for (const char* part :
       {"Passed: 4 requests in 61.2 s, 0 client-visible errors.", "## What was real",
        "## What was a stand-in", "## What would be lost", "$0.001234",
        "| 2. tier 1 <dark> | tier 1 | 2 | 2 x 2 router | 100 ms | 100 ms | 1 | 0 | 200 | 14 | "
        "$0.001234 |",
        "| req_d | 2 | anthropic | stream | ok | 2 router | openrouter/m\\|1 | - | 260 ms |"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
}

TEST(DrillReport, ADemotedTargetIsAReason) {
  state::RequestRow moved = row("req_a", 0, "router", "ok");
  moved.preferred = "openrouter/m|1";
  EXPECT_EQ(reason_of(moved), "");
  moved.preferred = "anthropic/m";
  EXPECT_EQ(reason_of(moved), "anthropic/m broke off in this conversation and goes last in it");
  moved.reason = "anthropic/m: cannot connect";
  EXPECT_EQ(reason_of(moved), "anthropic/m: cannot connect");
}

TEST(DrillReport, AFailureIsNamed) {
  DrillFacts made = facts();
  made.verdict = "NOT passed";
  made.steps[1].failures.push_back("anthropic, stream: status 503");
  const std::string text = page_markdown(drill_page(made));
  EXPECT_NE(text.find("NOT passed: 4 requests in 61.2 s, 1 client-visible errors."),
            std::string::npos);
  EXPECT_NE(text.find("* FAILED: anthropic, stream: status 503"), std::string::npos);
}

TEST(DrillReport, TheHtmlStandsAlone) {
  const std::string text = page_html(drill_page(facts()));
  EXPECT_NE(text.find("tier 1 &lt;dark&gt;"), std::string::npos);
  EXPECT_NE(text.find("prefers-color-scheme:dark"), std::string::npos);
  for (const char* part : {"<script", "src=", "href=", "url("}) {
    EXPECT_EQ(text.find(part), std::string::npos) << part;
  }
}

TEST(DrillSwitchboard, TellsOfASwitchWithItsReason) {
  state::RequestRow moved = row("req_a", 0, "router", "ok");
  moved.reason = "anthropic: 5-hour limit";
  const auto lines = live_lines(moved, "frontier");
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_NE(lines[0].find("SWITCH tier 1 -> tier 2: anthropic: 5-hour limit"), std::string::npos);
  EXPECT_NE(lines[1].find("first words after 100 ms"), std::string::npos);
  EXPECT_EQ(live_lines(moved, "router").size(), 1u);
  EXPECT_EQ(live_lines(moved, "").size(), 1u);
}

TEST(DrillSwitchboard, TellsOfABreak) {
  const auto lines = live_lines(row("req_a", 0, "router", "truncated"), "router");
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_NE(lines[0].find("BROKEN OFF on tier 2 after 0.9 s (truncated)"), std::string::npos);
}

TEST(DrillSwitchboard, KnowsItsKeys) {
  EXPECT_EQ(drill_key('1'), DrillKey::cut_1);
  EXPECT_EQ(drill_key('2'), DrillKey::cut_2);
  EXPECT_EQ(drill_key('n'), DrillKey::network);
  EXPECT_EQ(drill_key('r'), DrillKey::restore);
  EXPECT_EQ(drill_key('q'), DrillKey::end);
  EXPECT_EQ(drill_key('x'), DrillKey::none);
}

}  // namespace
}  // namespace nl::drill
