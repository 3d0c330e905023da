#include "work/task_store.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "base/whole_file.h"

namespace nl::work {
namespace {

namespace fs = std::filesystem;

class TaskStoreTest : public testing::Test {
 protected:
  TaskStoreTest() {
    root_ = fs::temp_directory_path() / "nl-tasks-XXXXXX";
    EXPECT_NE(mkdtemp(root_.data()), nullptr);
  }
  ~TaskStoreTest() override { fs::remove_all(root_); }

  static Task task(const std::string& task_name) {
    Task made;
    made.name = task_name;
    made.prompt = "Summarise \"this\":\nkeep { and [ and , as they are";
    made.label = "summarisation";
    made.model = "claude-sonnet-5";
    made.max_tokens = 700;
    made.examples = {{"a text\\ with \"marks\"", ""}};
    return made;
  }
  std::string file(const std::string& file_name, const std::string& text) const {
    const std::string path = root_ + "/" + file_name;
    std::ofstream(path) << text;
    return path;
  }
  TaskStore store() const { return TaskStore(root_ + "/state/tasks"); }

  std::string root_;
};

TEST_F(TaskStoreTest, KeepsATaskWithItsExamples) {
  const std::string mail = file("my mail (1).eml", "From: a\n\nhello");
  ASSERT_TRUE(store().add(task("digest"), {mail}));
  fs::remove(mail);
  const auto back = store().task("digest");
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->prompt, task("digest").prompt);
  EXPECT_EQ(back->model, "claude-sonnet-5");
  EXPECT_EQ(back->max_tokens, 700);
  ASSERT_EQ(back->examples.size(), 2u);
  EXPECT_EQ(back->examples[0].text, "a text\\ with \"marks\"");
  EXPECT_EQ(back->examples[1].file, "inputs/2-my-mail--1-.eml");
  const auto copy = read_whole_file(store().example_path(*back, back->examples[1]), 1000);
  ASSERT_TRUE(copy);
  EXPECT_EQ(*copy, "From: a\n\nhello");
  const auto mode = fs::status(store().example_path(*back, back->examples[1])).permissions();
  EXPECT_EQ(mode & fs::perms(0077), fs::perms::none);
}

TEST_F(TaskStoreTest, AFileIsReplacedWholeAndNothingElseIsTouched) {
  const std::string beside = file("kept.new", "of somebody else");
  const std::string path = root_ + "/kept";
  ASSERT_TRUE(write_whole_file(path, "one"));
  ASSERT_TRUE(write_whole_file(path, "two"));
  EXPECT_EQ(*read_whole_file(path, 10), "two");
  EXPECT_EQ(*read_whole_file(beside, 100), "of somebody else");
  EXPECT_EQ(fs::status(path).permissions() & fs::perms(0777), fs::perms(0600));
  EXPECT_EQ(std::distance(fs::directory_iterator(root_), fs::directory_iterator()), 2);
  EXPECT_FALSE(read_whole_file(path, 2));
}

TEST_F(TaskStoreTest, RefusesWhatCannotBeKept) {
  EXPECT_FALSE(store().add(task("No Such"), {}));
  EXPECT_FALSE(store().add(task("../x"), {}));
  EXPECT_FALSE(store().add(task("runs"), {}));
  EXPECT_FALSE(store().add(task("a"), {root_ + "/missing"}));
  EXPECT_FALSE(store().add(task("a"), {root_}));
  Task empty = task("a");
  empty.examples.clear();
  EXPECT_FALSE(store().add(empty, {}));
  EXPECT_FALSE(fs::exists(root_ + "/state/tasks/a"));
  ASSERT_TRUE(store().add(task("a"), {}));
  EXPECT_FALSE(store().add(task("a"), {}));
  const auto missing = store().task("b");
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().message.find("there are a"), std::string::npos);
}

TEST_F(TaskStoreTest, ChecksWhatTheUserHasChangedByHand) {
  ASSERT_TRUE(store().add(task("a"), {}));
  const std::string path = root_ + "/state/tasks/a/task.json";
  for (const char* text :
       {"{", "[]", R"({"name":"a","prompt":"p","examples":[]})",
        R"({"name":"b","prompt":"p","examples":[{"text":"t"}]})",
        R"({"name":"a","prompt":"p","examples":[{"file":"inputs/../../../x"}]})",
        R"({"name":"a","prompt":"p","examples":[{"file":"/etc/passwd"}]})",
        R"({"name":"a","prompt":"p","examples":[{"text":"t","file":"inputs/x"}]})"}) {
    ASSERT_TRUE(write_whole_file(path, text));
    const auto read = store().tasks();
    ASSERT_FALSE(read) << text;
    EXPECT_NE(read.error().message.find("task.json"), std::string::npos) << read.error().message;
  }
}

TEST_F(TaskStoreTest, AMarkTellsAChangedTask) {
  const Task one = task("a");
  Task two = one;
  EXPECT_EQ(task_mark(one), task_mark(two));
  two.prompt += "!";
  EXPECT_NE(task_mark(one), task_mark(two));
  two = one;
  two.examples.push_back({"more", ""});
  EXPECT_NE(task_mark(one), task_mark(two));
}

Entry entry(std::string_view task_name, Verdict verdict) {
  Entry made;
  made.task = task_name;
  made.prompt = "p \xff not utf-8";
  made.first = Side::cloud;
  made.local = {"nl_1", "an answer\n\"x\"", "", Figures(), ""};
  made.local.figures->provider = "engine";
  made.local.figures->model = "gemma4:e4b";
  made.local.figures->cost_micro_usd = 0;
  made.local.figures->duration_ms = 1234;
  made.cloud.trouble = "refused";
  made.user = Opinion{Better::local, verdict == Verdict::safe, false};
  return made;
}

TEST_F(TaskStoreTest, RunsComeBackWhole) {
  EXPECT_FALSE(store().run("last"));
  TaskRun run;
  run.seed = 0xffff'ffff'ffff'fff1U;
  for (const char* id : {"2026-01-02-030405", "2026-01-01-000000"}) {
    run.id = store().free_run_id(id);
    run.entries = {entry("a", Verdict::safe)};
    Reading reading;
    reading.first = Side::cloud;
    reading.says = Opinion{Better::cloud, true, true};
    run.entries[0].readings = {reading};
    ASSERT_TRUE(store().save(run));
  }
  EXPECT_EQ(store().free_run_id("2026-01-01-000000"), "2026-01-01-000000-02");
  const auto back = store().run("last");
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->id, "2026-01-02-030405");
  EXPECT_EQ(back->seed, run.seed);
  ASSERT_EQ(back->entries.size(), 1u);
  const Entry& one = back->entries[0];
  EXPECT_EQ(one.first, Side::cloud);
  EXPECT_EQ(one.local.answer, "an answer\n\"x\"");
  EXPECT_EQ(one.local.figures->duration_ms, 1234);
  EXPECT_EQ(one.local.figures->cost_micro_usd, 0);
  EXPECT_FALSE(one.cloud.figures);
  EXPECT_EQ(one.cloud.trouble, "refused");
  ASSERT_EQ(one.readings.size(), 1u);
  EXPECT_EQ(one.readings[0].first, Side::cloud);
  ASSERT_TRUE(one.user);
  EXPECT_TRUE(one.user->local_ok);
  EXPECT_FALSE(store().run("2025-01-01-000000"));
}

TEST_F(TaskStoreTest, ReadinessIsReplacedPerTaskAndGoesWithIt) {
  ASSERT_TRUE(store().add(task("a"), {}));
  TaskRun run;
  run.id = "r";
  run.entries = {entry("a", Verdict::not_yet), entry("b", Verdict::safe)};
  ASSERT_TRUE(store().keep(readiness_of(run)));
  run.entries = {entry("a", Verdict::safe)};
  ASSERT_TRUE(store().keep(readiness_of(run)));
  auto known = store().readiness();
  ASSERT_TRUE(known);
  ASSERT_EQ(known->size(), 2u);
  EXPECT_EQ((*known)[1].task, "a");
  EXPECT_EQ((*known)[1].verdict, Verdict::safe);
  ASSERT_TRUE(store().remove("a"));
  EXPECT_FALSE(store().remove("a"));
  known = store().readiness();
  ASSERT_TRUE(known);
  ASSERT_EQ(known->size(), 1u);
  EXPECT_EQ((*known)[0].task, "b");
}

TEST(Blinding, IsACoinThatASeedRepeats) {
  int local = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const Side side = blinded_first(seed, "mail.1");
    EXPECT_EQ(side, blinded_first(seed, "mail.1"));
    if (side == Side::local) ++local;
  }
  EXPECT_GT(local, 140);
  EXPECT_LT(local, 260);
  int differ = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    if (blinded_first(seed, "mail.1") != blinded_first(seed, "mail.2")) ++differ;
  }
  EXPECT_GT(differ, 20);
}

}  // namespace
}  // namespace nl::work
