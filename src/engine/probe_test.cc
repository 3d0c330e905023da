#include "engine/probe.h"

#include <gtest/gtest.h>

#include <thread>

#include "engine/launch.h"
#include "engine/scripted_engine.h"

namespace nl::engine {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class ProbeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!ScriptedEngine::possible()) GTEST_SKIP() << "no python3";
  }
  Result<Capabilities> probe(const std::string& mode, Duration within = seconds(8)) {
    engine.set_mode(mode);
    return probe_binary(engine.program(), within, stop);
  }

  ScriptedEngine engine{"normal"};
  std::atomic<bool> stop{false};
};

TEST_F(ProbeTest, a_good_program_tells_its_version) {
  const auto found = probe("normal");
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->version, "version: 9.9 (scripted)");
}

TEST_F(ProbeTest, an_old_one_is_told_what_it_lacks) {
  const auto found = probe("old");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::unsupported);
  EXPECT_NE(found.error().message.find("does not know --no-context-shift"), std::string::npos);
}

TEST_F(ProbeTest, one_that_does_not_end_is_not_waited_for) {
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(probe("slow-help", milliseconds(300)).error().code, ErrorCode::timeout);
  std::thread later([&] {
    std::this_thread::sleep_for(milliseconds(200));
    stop = true;
  });
  EXPECT_EQ(probe("slow-help", seconds(60)).error().code, ErrorCode::timeout);
  later.join();
  EXPECT_LT(std::chrono::steady_clock::now() - began, seconds(8));
}

TEST(Probe, other_programs_are_refused) {
  const std::atomic<bool> stop{false};
  EXPECT_EQ(probe_binary("/bin/true", seconds(5), stop).error().code, ErrorCode::unsupported);
  EXPECT_EQ(probe_binary("/bin/false", seconds(5), stop).error().code, ErrorCode::io);
  EXPECT_EQ(probe_binary("/nowhere", seconds(5), stop).error().code, ErrorCode::io);
}

TEST(Probe, options_are_whole_words) {
  const std::vector<std::string> wanted = {"--slots", "--cache-ram"};
  EXPECT_TRUE(missing_options("-x, --slots, --no-slots\n--cache-ram N", wanted).empty());
  EXPECT_EQ(missing_options("--no-slots --slots-debug --cache-ram", wanted),
            std::vector<std::string>{"--slots"});
}

TEST(Probe, a_program_without_gpu_support_lists_no_device) {
  EXPECT_FALSE(lists_devices("x I srv: initializing ...\nAvailable devices:\n  (none)\n"));
  EXPECT_TRUE(lists_devices(
      "Available devices:\n  CUDA0: NVIDIA GeForce RTX 3090 (24576 MiB, 23900 MiB free)\n"));
  EXPECT_FALSE(lists_devices("error: unknown option --list-devices (of 3 MiB)"));
  EXPECT_FALSE(lists_devices(""));
}

}  // namespace
}  // namespace nl::engine
