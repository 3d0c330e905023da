#include "engine/supervisor.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <filesystem>
#include <thread>
#include <vector>

#include "engine/supervisor_fixture.h"

namespace nl::engine {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class SupervisorTest : public ::testing::Test, public SupervisedEngine {
 protected:
  void SetUp() override {
    if (!ScriptedEngine::possible()) GTEST_SKIP() << "no python3";
  }
};

TEST_F(SupervisorTest, an_eager_engine_becomes_ready_and_says_what_it_is) {
  begin("slow");
  const auto endpoint = await_ready();
  ASSERT_TRUE(endpoint) << endpoint.error().message;
  EXPECT_EQ(endpoint->scheme, http::Scheme::unix_socket);
  const EngineState state = supervisor->snapshot();
  EXPECT_EQ(state.condition, Condition::ready);
  EXPECT_EQ(state.model_name, "model");
  EXPECT_EQ(state.context_tokens, 4096U);
  EXPECT_EQ(state.program_version, "version: 9.9 (scripted)");
  EXPECT_GT(state.pid, 1);
  EXPECT_EQ(state.restarts, 0);
  EXPECT_TRUE(contains(get("/arguments").body, "--model " + engine.model() + " --host "));
}

TEST_F(SupervisorTest, an_on_demand_engine_waits_to_be_asked) {
  begin("normal", Start::on_demand);
  ASSERT_TRUE(reaches(Condition::stopped));
  EXPECT_EQ(engine.starts(), 0U);
  EXPECT_TRUE(await_ready());
  EXPECT_EQ(engine.starts(), 1U);
}

TEST_F(SupervisorTest, a_crash_is_a_pause) {
  begin("normal");
  ASSERT_TRUE(await_ready());
  const pid_t first = supervisor->snapshot().pid;
  EXPECT_EQ(get("/crash").status, 0);
  ASSERT_TRUE(reaches(Condition::failed));
  EXPECT_TRUE(supervisor->snapshot().trying);
  EXPECT_TRUE(contains(supervisor->snapshot().reason, "killed by signal 6"));
  EXPECT_TRUE(contains(supervisor->snapshot().reason, "GGML_ASSERT failed"));
  ASSERT_TRUE(await_ready());
  EXPECT_NE(supervisor->snapshot().pid, first);
  EXPECT_EQ(supervisor->snapshot().restarts, 1);
  EXPECT_EQ(supervisor->snapshot().reason, "");
}

// A caller that looks away now and then must not take the pause before a start for the end.
TEST_F(SupervisorTest, a_wait_that_ends_in_the_pause_before_a_start_may_go_on) {
  engine.set_mode("normal");
  SupervisorOptions options = quick();
  options.limits.restart_first = std::chrono::seconds(2);
  options.limits.restart_most = std::chrono::seconds(2);
  supervisor = std::make_unique<Supervisor>(loop, wanted(), options);
  ASSERT_TRUE(await_ready());
  EXPECT_EQ(get("/crash").status, 0);
  ASSERT_TRUE(reaches(Condition::failed));
  const auto early = await_ready(std::chrono::milliseconds(10));
  ASSERT_FALSE(early);
  EXPECT_EQ(early.error().code, ErrorCode::timeout);
  EXPECT_TRUE(contains(early.error().message, "killed by signal 6")) << early.error().message;
  EXPECT_TRUE(await_ready());
}

TEST_F(SupervisorTest, one_that_always_dies_before_an_answer_is_given_up_for_a_while) {
  begin("dies-ready");
  ASSERT_TRUE(http::run_until(loop, [&] {
    const EngineState state = supervisor->snapshot();
    return state.condition == Condition::failed && !state.trying;
  }));
  EXPECT_EQ(engine.starts(), 5U);
  EXPECT_TRUE(contains(supervisor->snapshot().reason, "given up after 5 ends without an answer"))
      << supervisor->snapshot().reason;
  EXPECT_TRUE(contains(supervisor->snapshot().reason, "killed by signal 6"));
  // Whoever asks now is told at once; after a pause somebody's wait is worth one more try.
  EXPECT_EQ(await_ready().error().code, ErrorCode::exhausted);
  EXPECT_EQ(engine.starts(), 5U);
  engine.set_mode("normal");
  const Instant pause = loop.now() + 3 * quick().limits.restart_most;
  ASSERT_TRUE(http::run_until(loop, [&] { return loop.now() > pause; }));
  EXPECT_TRUE(await_ready());
  EXPECT_EQ(engine.starts(), 6U);
}

TEST_F(SupervisorTest, many_answers_between_kills_do_not_make_it_give_up_and_leave_nothing_behind) {
  begin("normal");
  ASSERT_TRUE(await_ready());
  const auto open_files = [] {
    std::filesystem::directory_iterator files("/proc/self/fd");
    return std::distance(files, std::filesystem::directory_iterator());
  };
  const auto before = open_files();
  for (int i = 0; i < 8; ++i) {
    ASSERT_TRUE(await_ready());
    const pid_t pid = supervisor->snapshot().pid;
    supervisor->report_answer();
    ::kill(pid, SIGKILL);
    ASSERT_TRUE(http::run_until(loop, [&] { return supervisor->snapshot().pid != pid; }));
  }
  EXPECT_TRUE(await_ready());
  EXPECT_LE(open_files(), before + 1);  // a connection may just be closing
}

TEST_F(SupervisorTest, five_failures_end_with_the_reason_until_asked_again) {
  begin("fail");
  const auto endpoint = await_ready();
  ASSERT_FALSE(endpoint);
  EXPECT_EQ(endpoint.error().code, ErrorCode::exhausted);
  EXPECT_TRUE(contains(endpoint.error().message, "given up after 5 ends without an answer: ended"))
      << endpoint.error().message;
  EXPECT_TRUE(
      contains(endpoint.error().message, "with status 3: error: the weights are made of cheese"));
  EXPECT_EQ(engine.starts(), 5U);
  engine.set_mode("normal");
  supervisor->start();
  ASSERT_TRUE(reaches(Condition::ready));
}

TEST_F(SupervisorTest, one_that_runs_out_of_memory_is_asked_for_less) {
  begin("hungry");
  const auto endpoint = await_ready();
  ASSERT_TRUE(endpoint) << endpoint.error().message;
  const EngineState state = supervisor->snapshot();
  EXPECT_EQ(state.restarts, 1);
  EXPECT_TRUE(contains(state.note, "smaller than before")) << state.note;
  EXPECT_TRUE(contains(state.note, "ran out of memory: ended with status 1")) << state.note;
  EXPECT_TRUE(contains(get("/arguments").body, "--cache-ram 0 "));
  // For the whole run, also where nothing is written.
  ::kill(state.pid, SIGKILL);
  ASSERT_TRUE(http::run_until(loop, [&] { return supervisor->snapshot().pid != state.pid; }));
  EXPECT_TRUE(await_ready());
  EXPECT_EQ(engine.starts(), 3U);
}

TEST_F(SupervisorTest, one_that_never_gets_ready_is_ended) {
  SupervisorOptions options = quick();
  options.limits.start_within = milliseconds(300);
  engine.set_mode("never");
  supervisor = std::make_unique<Supervisor>(loop, wanted(), options);
  ASSERT_TRUE(reaches(Condition::failed));
  EXPECT_TRUE(contains(supervisor->snapshot().reason, "not ready after"));
}

TEST_F(SupervisorTest, a_caller_waits_no_longer_than_told) {
  begin("never");
  ASSERT_TRUE(reaches(Condition::starting));
  const auto endpoint = await_ready(milliseconds(200));
  ASSERT_FALSE(endpoint);
  EXPECT_EQ(endpoint.error().code, ErrorCode::timeout);
  EXPECT_TRUE(contains(endpoint.error().message, "starting"));
}

TEST_F(SupervisorTest, one_that_is_stopped_by_a_signal_is_replaced) {
  begin("normal");
  ASSERT_TRUE(await_ready());
  const pid_t pid = supervisor->snapshot().pid;
  ::kill(pid, SIGSTOP);
  ASSERT_TRUE(reaches(Condition::failed));
  EXPECT_TRUE(contains(supervisor->snapshot().reason, "does not answer: 3 times"));
  ASSERT_TRUE(await_ready());
  EXPECT_NE(supervisor->snapshot().pid, pid);
}

TEST_F(SupervisorTest, one_whose_health_fails_is_replaced) {
  begin("sick-later");
  ASSERT_TRUE(await_ready());
  ASSERT_TRUE(reaches(Condition::failed));
}

TEST_F(SupervisorTest, one_without_progress_is_replaced) {
  begin("stuck");
  ASSERT_TRUE(await_ready());
  ASSERT_TRUE(reaches(Condition::failed));
  EXPECT_TRUE(contains(supervisor->snapshot().reason, "hangs: no token"));
}

TEST_F(SupervisorTest, a_reported_stall_is_looked_at) {
  engine.set_mode("working");
  SupervisorOptions options = quick();
  options.limits.progress.still_max = seconds(60);
  supervisor = std::make_unique<Supervisor>(loop, wanted(), options);
  ASSERT_TRUE(await_ready());
  const pid_t pid = supervisor->snapshot().pid;
  supervisor->report_stall();
  const Instant until = loop.now() + milliseconds(600);
  ASSERT_TRUE(http::run_until(loop, [&] { return loop.now() > until; }));
  EXPECT_EQ(supervisor->snapshot().pid, pid);
  engine.set_mode("stuck");
  ::kill(pid, SIGKILL);
  ASSERT_TRUE(http::run_until(loop, [&] { return supervisor->snapshot().pid != pid; }));
  ASSERT_TRUE(await_ready());
  supervisor->report_stall();
  ASSERT_TRUE(reaches(Condition::failed));
  EXPECT_TRUE(contains(supervisor->snapshot().reason, "in vain"));
}

TEST_F(SupervisorTest, stop_is_clean_and_lasts) {
  begin("normal");
  ASSERT_TRUE(await_ready());
  const pid_t pid = supervisor->snapshot().pid;
  EXPECT_EQ(http::run_on(loop, stop_it(*this)), 1);
  EXPECT_EQ(supervisor->snapshot().condition, Condition::stopped);
  EXPECT_EQ(::kill(pid, 0), -1);
  EXPECT_EQ(await_ready().error().code, ErrorCode::exhausted);
  supervisor->start();
  EXPECT_TRUE(reaches(Condition::ready));
}

TEST_F(SupervisorTest, stop_does_not_wait_for_a_slow_probe) {
  SupervisorOptions options = quick();
  options.preparation.probe_within = seconds(60);
  engine.set_mode("slow-help");
  supervisor = std::make_unique<Supervisor>(loop, wanted(), options);
  ASSERT_TRUE(http::run_until(loop, [&] { return std::filesystem::exists(engine.file("asked")); }));
  // Returns after a while in any case; only the end of the probe lets it say so.
  EXPECT_EQ(http::run_on(loop, stop_it(*this)), 1);
  EXPECT_EQ(supervisor->snapshot().condition, Condition::stopped);
  engine.set_mode("normal");
  supervisor->start();
  EXPECT_TRUE(reaches(Condition::ready));
}

TEST_F(SupervisorTest, one_that_refuses_to_end_is_killed_after_the_grace) {
  begin("stubborn");
  ASSERT_TRUE(await_ready());
  const pid_t pid = supervisor->snapshot().pid;
  const Instant before = loop.now();
  EXPECT_EQ(http::run_on(loop, stop_it(*this)), 1);
  EXPECT_GE(loop.now() - before, milliseconds(400));
  EXPECT_EQ(::kill(pid, 0), -1);
}

TEST_F(SupervisorTest, a_missing_program_is_waited_for) {
  engine.set_mode("normal");
  Wanted what = wanted();
  what.programs = {engine.file("later")};
  supervisor = std::make_unique<Supervisor>(loop, what, quick());
  ASSERT_TRUE(reaches(Condition::absent));
  const auto endpoint = await_ready();
  EXPECT_EQ(endpoint.error().code, ErrorCode::not_found);
  EXPECT_TRUE(contains(endpoint.error().message, "`make engine`"));
  std::filesystem::copy(engine.program(), engine.file("later"));
  EXPECT_TRUE(reaches(Condition::ready));
}

TEST_F(SupervisorTest, a_missing_model_is_waited_for) {
  engine.set_mode("normal");
  Wanted what = wanted();
  what.model = engine.file("pulled.gguf");
  supervisor = std::make_unique<Supervisor>(loop, what, quick());
  ASSERT_TRUE(reaches(Condition::absent));
  EXPECT_TRUE(contains(supervisor->snapshot().reason, "`nightlight pull`"));
  engine.write("pulled.gguf", "<html>");
  ASSERT_TRUE(http::run_until(
      loop, [&] { return contains(supervisor->snapshot().reason, "is a web page"); }));
  std::filesystem::rename(engine.model(), engine.file("pulled.gguf"));
  EXPECT_TRUE(reaches(Condition::ready));
}

TEST_F(SupervisorTest, the_projector_beside_the_model_is_taken_if_it_fits) {
  const auto projector = [](std::uint32_t length) {
    GgufWriter writer;
    writer.text("general.architecture", "clip");
    writer.number("clip.vision.projection_dim", length);
    writer.tensor("v.patch_embd.weight", {32});
    return writer.bytes();
  };
  engine.write("mmproj-other.gguf", projector(65));
  engine.write("mmproj-own.gguf", projector(64));
  begin("normal");
  ASSERT_TRUE(await_ready());
  EXPECT_TRUE(supervisor->snapshot().takes_images);
  EXPECT_TRUE(contains(get("/arguments").body, "--mmproj " + engine.file("mmproj-own.gguf")));
  Wanted what = wanted();
  what.projector = engine.file("mmproj-other.gguf");
  supervisor->use(what);
  ASSERT_TRUE(http::run_until(
      loop, [&] { return contains(supervisor->snapshot().note, "belongs to another model"); }));
}

TEST_F(SupervisorTest, an_old_program_is_refused_by_its_options) {
  begin("old");
  ASSERT_TRUE(reaches(Condition::absent));
  EXPECT_TRUE(contains(supervisor->snapshot().reason, "does not know --no-context-shift"))
      << supervisor->snapshot().reason;
}

TEST_F(SupervisorTest, another_model_replaces_and_a_bad_one_does_not) {
  begin("normal");
  ASSERT_TRUE(await_ready());
  const pid_t pid = supervisor->snapshot().pid;
  engine.write("bad.gguf", "{}");
  Wanted bad = wanted();
  bad.model = engine.file("bad.gguf");
  supervisor->use(bad);
  ASSERT_TRUE(http::run_until(
      loop, [&] { return contains(supervisor->snapshot().note, "kept the running model"); }));
  EXPECT_EQ(supervisor->snapshot().pid, pid);
  engine.write("other.gguf", small_model().bytes());
  Wanted other = wanted();
  other.model = engine.file("other.gguf");
  supervisor->use(other);
  ASSERT_TRUE(http::run_until(loop, [&] {
    const EngineState state = supervisor->snapshot();
    return state.model_name == "other" && state.condition == Condition::ready;
  }));
  EXPECT_NE(supervisor->snapshot().pid, pid);
}

TEST_F(SupervisorTest, ready_is_awaited_on_another_loop) {
  begin("slow");
  Result<http::Endpoint> got = fail(ErrorCode::internal, "none");
  std::atomic<bool> done{false};
  std::thread other([&] {
    SystemClock own_clock;
    http::Loop own(own_clock);
    got = http::run_on(own, supervisor->ready(own, own.now() + seconds(8)));
    done = true;
  });
  EXPECT_TRUE(http::run_until(loop, [&] { return done.load(); }));
  other.join();
  EXPECT_TRUE(got);
}

TEST_F(SupervisorTest, the_child_goes_with_the_supervisor) {
  begin("normal");
  ASSERT_TRUE(await_ready());
  const pid_t pid = supervisor->snapshot().pid;
  supervisor.reset();
  EXPECT_TRUE(http::run_until(loop, [&] { return ::kill(pid, 0) != 0; }));
}

}  // namespace
}  // namespace nl::engine
