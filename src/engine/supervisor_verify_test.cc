// The first load of a model, verified and remembered.
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>

#include "engine/fit_record.h"
#include "engine/supervisor_fixture.h"

namespace nl::engine {
namespace {

class SupervisorVerify : public ::testing::Test, public SupervisedEngine {
 protected:
  void SetUp() override {
    if (!ScriptedEngine::possible()) GTEST_SKIP() << "no python3";
  }
  std::string record() const { return folder.path() + "/fit"; }
  void start(const std::string& mode) {
    engine.set_mode(mode);
    supervisor.reset();
    supervisor = std::make_unique<Supervisor>(loop, wanted(), options_here());
  }
  SupervisorOptions options_here() const {
    SupervisorOptions options = quick();
    options.preparation.fit_record = record();
    options.preparation.occupied = [this] { return occupied_ ? occupied : ""; };
    return options;
  }
  // Asked on the worker's thread.
  std::atomic<bool> occupied_{false};
  const std::string occupied = "Ollama holds llama3 in memory";
};

TEST_F(SupervisorVerify, a_good_answer_is_remembered_with_its_rates) {
  start("checked");
  ASSERT_TRUE(await_ready());
  EXPECT_EQ(supervisor->snapshot().read_rate, 84.5);
  EXPECT_EQ(supervisor->snapshot().write_rate, 18.25);
  EXPECT_EQ(supervisor->snapshot().warm_conversations, 1);
  const FitRecord first(record());
  ASSERT_EQ(first.entries().size(), 1U);
  EXPECT_EQ(first.entries()[0].what, FitEntry::What::worked);
  EXPECT_EQ(first.entries()[0].read, 84.5);
  // Known now: the next start asks nothing, which this mode would answer badly.
  start("dumb");
  ASSERT_TRUE(await_ready());
  EXPECT_EQ(supervisor->snapshot().read_rate, 84.5);
}

TEST_F(SupervisorVerify, out_of_memory_steps_down_until_it_works) {
  start("greedy");
  ASSERT_TRUE(await_ready());
  EXPECT_EQ(engine.starts(), 2U);
  const EngineState state = supervisor->snapshot();
  EXPECT_TRUE(contains(state.note, "no cache of earlier prompts")) << state.note;
  EXPECT_TRUE(contains(state.note, "smaller than before")) << state.note;
  EXPECT_TRUE(contains(state.note, "failed to allocate")) << state.note;
  EXPECT_TRUE(contains(get("/arguments").body, "--cache-ram 0")) << get("/arguments").body;
  // Remembered: a new supervisor begins with what worked.
  start("greedy");
  ASSERT_TRUE(await_ready());
  EXPECT_EQ(engine.starts(), 3U);
  // Forgotten: it begins with the whole again.
  ASSERT_TRUE(FitRecord(record()).forget());
  start("checked");
  ASSERT_TRUE(await_ready());
  EXPECT_EQ(supervisor->snapshot().note, "");
}

TEST_F(SupervisorVerify, out_of_memory_at_work_steps_down_as_well) {
  start("checked");
  ASSERT_TRUE(await_ready());
  EXPECT_EQ(supervisor->snapshot().note, "");
  EXPECT_EQ(get("/hunger").status, 0);
  ASSERT_TRUE(reaches(Condition::failed));
  ASSERT_TRUE(await_ready());
  const EngineState state = supervisor->snapshot();
  EXPECT_TRUE(contains(state.note, "smaller than before")) << state.note;
  EXPECT_TRUE(contains(state.note, "ran out of memory: was killed by signal 6")) << state.note;
  EXPECT_TRUE(contains(get("/arguments").body, "--cache-ram 0")) << get("/arguments").body;
  const FitRecord found(record());
  ASSERT_EQ(found.entries().size(), 2U) << "answered, failed at work";
  EXPECT_EQ(found.entries()[1].what, FitEntry::What::failed);
}

TEST_F(SupervisorVerify, one_that_is_handed_over_is_not_asked_again) {
  start("checked");
  ASSERT_TRUE(await_ready());
  const pid_t pid = supervisor->snapshot().pid;
  const auto handed = http::run_on(loop, supervisor->hand_over());
  ASSERT_TRUE(handed);
  EXPECT_TRUE(handed->verified);
  // What the record and another program say of a new start is no concern of what runs.
  ASSERT_TRUE(FitRecord(record()).forget());
  occupied_ = true;
  SupervisorOptions options = options_here();
  options.adopt = handed;
  supervisor = std::make_unique<Supervisor>(loop, wanted(), options);
  ASSERT_TRUE(reaches(Condition::ready));
  EXPECT_EQ(supervisor->snapshot().pid, pid);
  EXPECT_EQ(engine.starts(), 1U);
  EXPECT_TRUE(FitRecord(record()).entries().empty());
}

TEST_F(SupervisorVerify, one_that_is_handed_over_while_it_is_asked_is_asked_again) {
  start("mute");
  ASSERT_TRUE(http::run_until(loop, [&] { return std::filesystem::exists(engine.file("mute")); }));
  const pid_t pid = supervisor->snapshot().pid;
  const auto handed = http::run_on(loop, supervisor->hand_over());
  ASSERT_TRUE(handed);
  EXPECT_FALSE(handed->verified);
  SupervisorOptions options = options_here();
  options.adopt = handed;
  supervisor = std::make_unique<Supervisor>(loop, wanted(), options);
  ASSERT_TRUE(reaches(Condition::ready));
  EXPECT_EQ(supervisor->snapshot().pid, pid);
  EXPECT_EQ(FitRecord(record()).entries().size(), 1U);
}

TEST_F(SupervisorVerify, a_window_that_is_not_there_is_a_failure) {
  start("half");
  EXPECT_FALSE(await_ready());
  const FitRecord found(record());
  ASSERT_FALSE(found.entries().empty());
  EXPECT_TRUE(contains(found.entries()[0].reason, "holds 2048 tokens instead of 4096"))
      << found.entries()[0].reason;
}

TEST_F(SupervisorVerify, no_answer_is_a_failure_and_says_so) {
  start("dumb");
  EXPECT_FALSE(await_ready());
  const FitRecord found(record());
  ASSERT_FALSE(found.entries().empty());
  EXPECT_TRUE(contains(found.entries()[0].reason, "answers with status 500"));
}

TEST_F(SupervisorVerify, a_program_that_cannot_run_is_not_held_against_the_model) {
  start("fail");
  EXPECT_FALSE(await_ready());
  EXPECT_TRUE(FitRecord(record()).entries().empty());
}

TEST_F(SupervisorVerify, a_smaller_model_takes_the_place_of_one_that_never_fits) {
  engine.set_mode("checked");
  engine.write("small.gguf", small_model().bytes());
  Wanted what = wanted();
  what.model = engine.file("large.gguf");  // is not there
  what.smaller = {{engine.file("gone.gguf"), ""}, {engine.file("small.gguf"), ""}};
  SupervisorOptions options = quick();
  options.preparation.fit_record = record();
  supervisor = std::make_unique<Supervisor>(loop, what, options);
  ASSERT_TRUE(await_ready());
  EXPECT_EQ(supervisor->snapshot().model_path, engine.file("small.gguf"));
  EXPECT_TRUE(contains(supervisor->snapshot().note, "instead of ")) << supervisor->snapshot().note;
}

TEST_F(SupervisorVerify, nothing_is_loaded_beside_the_model_of_another_program) {
  occupied_ = true;
  start("checked");
  ASSERT_TRUE(reaches(Condition::absent));
  EXPECT_EQ(supervisor->snapshot().reason, occupied);
  EXPECT_EQ(engine.starts(), 0U);
  occupied_ = false;
  EXPECT_TRUE(reaches(Condition::ready));
}

}  // namespace
}  // namespace nl::engine
