#include "work/task_asking.h"

#include <gtest/gtest.h>

#include <deque>
#include <map>

#include "work/readiness.h"
#include "work/task_page.h"
#include "work/task_report.h"

namespace nl::work {
namespace {

// A gateway and its ledger, as far as a run sees them.
class World {
 public:
  AskingParts parts() {
    return {[this](const Prompt& prompt) { return ask(prompt); },
            [this](const std::string& id) { return figures(id); },
            [this](std::string_view line) { said += std::string(line) + "\n"; }};
  }
  // What the judge says, one after the other.
  std::deque<std::string> judgements;
  std::map<std::string, std::string> refuses;     // by route
  std::map<std::string, std::string> other_tier;  // by route: who answers in its place
  std::string compacted, stop_reason;
  bool cancels = false;
  bool forgets = false;  // the ledger
  std::vector<Prompt> prompts;
  std::string said;

 private:
  Asked ask(const Prompt& prompt) {
    prompts.push_back(prompt);
    const std::string id = "nl_" + std::to_string(prompts.size());
    if (cancels) return {id, fail(ErrorCode::cancelled, "stopped")};
    const bool local = prompt.route == "@local";
    Figures row;
    row.tier = local ? "local" : "frontier";
    row.provider = local ? "engine" : "anthropic";
    row.model = local ? "gemma4:e4b" : "claude-x";
    row.duration_ms = 1000 * static_cast<std::int64_t>(prompts.size());
    row.input_tokens = 7;
    row.output_tokens = 3;
    row.cost_micro_usd = local ? 0 : 1234;
    if (const auto tier = other_tier.find(prompt.route); tier != other_tier.end()) {
      row.tier = tier->second;
    }
    rows_[id] = row;
    if (const auto why = refuses.find(prompt.route); why != refuses.end()) {
      rows_[id].outcome = "status";
      return {id, fail(ErrorCode::status, why->second)};
    }
    Reply reply;
    reply.text = local ? "LOCAL-ANSWER" : "CLOUD-ANSWER";
    reply.compacted = compacted;
    reply.stop_reason = stop_reason;
    if (!prompt.json_schema.empty()) {
      reply.text = judgements.front();
      judgements.pop_front();
    }
    return {id, reply};
  }
  Result<Figures> figures(const std::string& id) {
    if (forgets) return fail(ErrorCode::not_found, "no such request");
    return rows_.at(id);
  }
  std::map<std::string, Figures> rows_;
};

Task task() {
  Task made;
  made.name = "mail";
  made.prompt = "Sort this.";
  made.label = "drafting_email";
  made.model = "claude-sonnet-5";
  return made;
}

const ExampleInput kInput{"mail.txt", "Dear all", {}};

TaskRun run_once(World& world) {
  TaskRun run;
  EXPECT_TRUE(TaskAsking(world.parts()).answer(task(), kInput, "@frontier", run));
  return run;
}

TEST(TaskAsking, AsksBothTiersTheSameAndTakesTheLedgersFigures) {
  World world;
  const TaskRun run = run_once(world);
  ASSERT_EQ(world.prompts.size(), 2u);
  EXPECT_EQ(world.prompts[0].route, "@local");
  EXPECT_EQ(world.prompts[1].route, "@frontier");
  EXPECT_EQ(world.prompts[0].text, world.prompts[1].text);
  EXPECT_EQ(world.prompts[0].text, "Sort this.\n\nDear all");
  EXPECT_EQ(world.prompts[1].task, "drafting_email");
  EXPECT_EQ(world.prompts[1].model, "claude-sonnet-5");
  const Entry& entry = run.entries.at(0);
  EXPECT_EQ(entry.id(), "mail.1");
  EXPECT_EQ(entry.local.answer, "LOCAL-ANSWER");
  EXPECT_EQ(entry.cloud.figures->duration_ms, 2000);
  EXPECT_EQ(entry.cloud.figures->cost_micro_usd, 1234);
  EXPECT_FALSE(has_failures(run));
  EXPECT_NE(run_text(run).find("2.00 s, 7 in, 3 out, $0.001234"), std::string::npos)
      << run_text(run);
}

TEST(TaskAsking, AFailureIsSaidWithItsReason) {
  World world;
  world.refuses["@frontier"] = "limit reached";
  const TaskRun run = run_once(world);
  const Entry& entry = run.entries.at(0);
  EXPECT_TRUE(entry.local.answered());
  EXPECT_EQ(entry.cloud.trouble, "limit reached");
  EXPECT_EQ(entry.cloud.request_id, "nl_2");
  EXPECT_TRUE(has_failures(run));
  EXPECT_NE(run_text(run).find("cloud  FAILED: limit reached"), std::string::npos);
  EXPECT_NE(world.said.find("limit reached"), std::string::npos);
  EXPECT_NE(run_text(run).find("cloud  0 of 1 answered"), std::string::npos);
  EXPECT_NE(task_page(run).find("The cloud did not answer: limit reached"), std::string::npos);
}

TEST(TaskAsking, AnotherTiersAnswerIsNone) {
  World world;
  world.other_tier["@frontier"] = "local";
  const Entry entry = run_once(world).entries.at(0);
  EXPECT_FALSE(entry.cloud.answered());
  EXPECT_NE(entry.cloud.trouble.find("no cloud answered"), std::string::npos);
}

TEST(TaskAsking, WithoutALedgerRecordThereAreNoFigures) {
  World world;
  world.forgets = true;
  const Entry entry = run_once(world).entries.at(0);
  EXPECT_FALSE(entry.local.figures);
  EXPECT_NE(entry.local.trouble.find("ledger"), std::string::npos);
}

TEST(TaskAsking, AnAnswerThatIsNotWholeIsToldBeneathTheFold) {
  World world;
  world.compacted = "half of it";
  world.stop_reason = "max_tokens";
  TaskRun run = run_once(world);
  run.id = "r1";
  const std::string note =
      "the example was shortened to fit: half of it; the answer was cut at its limit of tokens";
  EXPECT_EQ(run.entries.at(0).local.note, note);
  EXPECT_TRUE(run.entries.at(0).local.answered());
  EXPECT_NE(run_text(run).find(note), std::string::npos);
  const std::string page = task_page(run);
  ASSERT_NE(page.find(note), std::string::npos);
  EXPECT_GT(page.find(note), page.find("<details><summary>Reveal"));
  const auto again = parse_run(run_json(run));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->entries.at(0).cloud.note, note);
}

TEST(TaskAsking, AStoppedRunLeavesItsTaskOpen) {
  World world;
  Task three = task();
  three.examples = {{"one", ""}, {"two", ""}, {"three", ""}};
  TaskRun run;
  ASSERT_TRUE(TaskAsking(world.parts()).answer(three, kInput, "@frontier", run));
  Entry& entry = run.entries.at(0);
  EXPECT_EQ(entry.of, 3);
  entry.user = Opinion{Better::same, true, true};
  EXPECT_TRUE(readiness_of(run).empty());
  EXPECT_EQ(undecided(run, "mail"), "not judged yet on Gemma 4 E4B: 1 of 3 answers graded");
}

TEST(TaskAsking, StopsWhenTheUserDoes) {
  World world;
  world.cancels = true;
  TaskRun run;
  const auto done = TaskAsking(world.parts()).answer(task(), kInput, "", run);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::cancelled);
  EXPECT_TRUE(run.entries.empty());
}

constexpr const char* kFirst =
    R"({"better":"first","first_good_enough":true,"second_good_enough":true,"why":"w"})";
constexpr const char* kSecond =
    R"({"better":"second","first_good_enough":true,"second_good_enough":true,"why":"w"})";

TEST(TaskAsking, AJudgeReadsTwiceWithThePositionsSwapped) {
  World world;
  TaskRun run = run_once(world);
  Entry& entry = run.entries[0];
  world.judgements = {kFirst, kSecond};
  ASSERT_TRUE(TaskAsking(world.parts()).judge(entry, "judge-1"));
  ASSERT_EQ(world.prompts.size(), 4u);
  const auto local_first = [](const Prompt& prompt) {
    return prompt.text.find("LOCAL-ANSWER") < prompt.text.find("CLOUD-ANSWER");
  };
  EXPECT_NE(local_first(world.prompts[2]), local_first(world.prompts[3]));
  EXPECT_EQ(world.prompts[2].model, "judge-1");
  EXPECT_EQ(world.prompts[2].route, "@frontier,@router");
  EXPECT_TRUE(world.prompts[2].task.empty());
  ASSERT_TRUE(entry.judged);
  EXPECT_EQ(entry.judged->better, entry.first == Side::local ? Better::local : Better::cloud);
  EXPECT_EQ(judge_totals(run).cost_micro_usd, 2468);

  world.judgements = {kFirst, kFirst};
  ASSERT_TRUE(TaskAsking(world.parts()).judge(entry, "openrouter/x/judge"));
  EXPECT_EQ(world.prompts.back().route, "openrouter/x/judge");
  EXPECT_EQ(entry.judged->better, Better::same);
  EXPECT_NE(judge_line(entry).find("changed with the order"), std::string::npos);
}

TEST(TaskAsking, AJudgeThatRamblesGivesNoVerdict) {
  World world;
  TaskRun run = run_once(world);
  world.judgements = {kFirst, "I like both."};
  ASSERT_TRUE(TaskAsking(world.parts()).judge(run.entries[0], "judge-1"));
  EXPECT_FALSE(run.entries[0].judged);
  EXPECT_NE(judge_line(run.entries[0]).find("gave no verdict"), std::string::npos);
  run.entries[0].cloud.trouble = "out";
  run.entries[0].readings.clear();
  ASSERT_TRUE(TaskAsking(world.parts()).judge(run.entries[0], "judge-1"));
  EXPECT_TRUE(run.entries[0].readings.empty());
}

TEST(TaskPage, IsBlindedEscapedAndAsksNobody) {
  World world;
  TaskRun run = run_once(world);
  run.id = "r1";
  for (const Side first : {Side::local, Side::cloud}) {
    run.entries[0].first = first;
    run.entries[0].local.answer = "LOCAL-ANSWER <script>alert(1)</script>";
    const std::string page = task_page(run);
    EXPECT_EQ(page.find("LOCAL-ANSWER") < page.find("CLOUD-ANSWER"), first == Side::local);
    EXPECT_EQ(page.find("<script>alert"), std::string::npos);
    EXPECT_EQ(page.find("http:"), std::string::npos);
    EXPECT_EQ(page.find("https:"), std::string::npos);
    EXPECT_EQ(page.find("src="), std::string::npos);
    EXPECT_NE(page.find("value=\"b,ok\""), std::string::npos);
    // Whose they are stands below the fold alone.
    const std::size_t fold = page.find("<details><summary>Reveal");
    ASSERT_NE(fold, std::string::npos);
    EXPECT_GT(page.find("gemma4:e4b"), fold);
    EXPECT_GT(page.find("$0.001234"), fold);
  }
}

}  // namespace
}  // namespace nl::work
