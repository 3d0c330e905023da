#include "work/readiness.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "base/whole_file.h"

namespace nl::work {
namespace {

Entry answered(int example, const std::string& model) {
  Entry made;
  made.task = "mail";
  made.label = "drafting_email";
  made.mark = "m1";
  made.example = example;
  made.local.figures = Figures();
  made.local.figures->provider = "engine";
  made.local.figures->model = model;
  return made;
}

Entry graded(int example, Opinion opinion) {
  Entry made = answered(example, "gemma4:e4b");
  made.user = opinion;
  return made;
}

constexpr Opinion kGood{Better::cloud, true, true};
constexpr Opinion kBad{Better::cloud, false, true};

TaskRun run_of(std::vector<Entry> entries) {
  TaskRun run;
  run.id = "r1";
  run.started_unix_ms = 1'764'072'000'000;  // the middle of a day, whatever the zone
  run.entries = std::move(entries);
  return run;
}

TEST(Readiness, SafeWhenEveryExampleIsGoodEnough) {
  const auto all = readiness_of(run_of({graded(1, kGood), graded(2, kGood)}));
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].verdict, Verdict::safe);
  EXPECT_EQ(all[0].target, "engine/gemma4:e4b");
  EXPECT_EQ(readiness_words(all[0]),
            "safe on Gemma 4 E4B (2 of 2 good enough, by you, 2025-11-25)");
}

TEST(Readiness, NotYetAsSoonAsOneIsNot) {
  const auto all =
      readiness_of(run_of({graded(1, kGood), graded(2, kBad), answered(3, "gemma4:e4b")}));
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].verdict, Verdict::not_yet);
  EXPECT_EQ(readiness_words(all[0]),
            "not yet: try 12B (1 of 3 good enough on Gemma 4 E4B, by you, 2025-11-25)");
}

TEST(Readiness, UngradedAnswersLeaveItOpen) {
  const TaskRun run = run_of({graded(1, kGood), answered(2, "gemma4:e4b")});
  EXPECT_TRUE(readiness_of(run).empty());
  EXPECT_EQ(undecided(run, "mail"), "not judged yet on Gemma 4 E4B: 1 of 2 answers graded");
  EXPECT_EQ(undecided(run_of({graded(1, kGood)}), "mail"), "");
}

TEST(Readiness, ExamplesThatWereNotReachedLeaveItOpen) {
  Entry one = graded(1, kGood);
  one.of = 3;
  EXPECT_TRUE(readiness_of(run_of({one})).empty());
}

TEST(Readiness, WhatAnotherTargetAnsweredLeavesItOpen) {
  Entry other = graded(2, kGood);
  other.local.figures->model = "gemma4:26b";
  const TaskRun run = run_of({graded(1, kGood), other});
  EXPECT_TRUE(readiness_of(run).empty());
  EXPECT_NE(undecided(run, "mail").find("1 of 2 answers graded"), std::string::npos)
      << undecided(run, "mail");
}

TEST(Readiness, AnExampleWithoutALocalAnswerIsNotGoodEnough) {
  Entry silent = answered(2, "");
  silent.local.figures.reset();
  silent.local.trouble = "prompt too long";
  const auto all = readiness_of(run_of({graded(1, kGood), silent}));
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].verdict, Verdict::not_yet);
  EXPECT_EQ(all[0].of, 2);
  const TaskRun none = run_of({silent});
  EXPECT_TRUE(readiness_of(none).empty());
  EXPECT_NE(undecided(none, "mail").find("no local model answered"), std::string::npos);
}

TEST(Readiness, TheUserWinsOverTheJudge) {
  Entry one = graded(1, kBad);
  one.judge = "judge-1";
  one.judged = kGood;
  Entry two = answered(2, "gemma4:e4b");
  two.judge = "judge-1";
  two.judged = kGood;
  const auto all = readiness_of(run_of({one, two}));
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].verdict, Verdict::not_yet);
  EXPECT_EQ(all[0].by, "you and judge-1");
}

TEST(Readiness, IsKeptPerTarget) {
  Entry big = answered(2, "gemma4:26b");
  big.user = kBad;
  const auto all = readiness_of(run_of({graded(1, kBad), big}));
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].verdict, Verdict::not_yet);
  EXPECT_EQ(all[1].target, "engine/gemma4:26b");
  EXPECT_EQ(all[1].verdict, Verdict::not_yet);
  // One good answer of two is not shown to be safe yet.
  big.user = kGood;
  EXPECT_EQ(readiness_of(run_of({graded(1, kBad), big})).size(), 1u);
}

TEST(Readiness, NamesOfTheFamilyAndTheNextSize) {
  EXPECT_EQ(people_name("gemma4:e2b"), "Gemma 4 E2B");
  EXPECT_EQ(people_name("gemma-4-26B-A4B-it-UD-Q4_K_XL"), "Gemma 4 26B");
  EXPECT_EQ(people_name("gemma4:latest"), "gemma4:latest");
  EXPECT_EQ(people_name("gemma3:12b"), "gemma3:12b");
  EXPECT_EQ(next_step("gemma4:12b-it-qat"), "try 26B");
  EXPECT_EQ(next_step("gemma4:31b"), "keep it on a cloud");
  EXPECT_EQ(next_step("qwen"), "try a larger model");
}

TEST(Readiness, ComesBackFromItsFile) {
  std::string folder = std::filesystem::temp_directory_path() / "nl-readiness-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const auto none = read_readiness(folder);
  ASSERT_TRUE(none);
  EXPECT_TRUE(none->empty());
  const auto all = readiness_of(run_of({graded(1, kBad)}));
  ASSERT_TRUE(write_whole_file(readiness_file(folder), readiness_json(all)));
  const auto back = read_readiness(folder);
  ASSERT_TRUE(back);
  ASSERT_EQ(back->size(), 1u);
  EXPECT_EQ(readiness_words(back->front()), readiness_words(all.front()));
  EXPECT_EQ(back->front().label, "drafting_email");
  ASSERT_TRUE(write_whole_file(readiness_file(folder), "{\"readiness\":"));
  EXPECT_FALSE(read_readiness(folder));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace nl::work
