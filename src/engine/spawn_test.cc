#include "engine/spawn.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

namespace nl::engine {
namespace {

// Reads a child's output to its end, at most ten seconds, and waits for it.
struct Finished {
  std::string output;
  WaitResult result;
};

Finished finish(const Spawned& spawned) {
  Finished finished;
  for (int i = 0; i < 1000; ++i) {
    pollfd waiting{spawned.output, POLLIN, 0};
    (void)::poll(&waiting, 1, 10);
    std::array<char, 4096> bytes{};
    const ssize_t got = ::read(spawned.output, bytes.data(), bytes.size());
    if (got == 0) break;
    if (got > 0) finished.output.append(bytes.data(), static_cast<std::size_t>(got));
  }
  for (int i = 0; i < 1000; ++i) {
    finished.result = wait_now(spawned.pid);
    if (finished.result.what != Wait::running) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  ::close(spawned.output);
  if (spawned.pid_descriptor >= 0) ::close(spawned.pid_descriptor);
  return finished;
}

Finished run(const std::string& script, SpawnOptions options = SpawnOptions()) {
  options.arguments = {"/bin/sh", "-c", script};
  const auto spawned = spawn(options);
  EXPECT_TRUE(spawned) << spawned.error().message;
  return spawned ? finish(*spawned) : Finished();
}

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TEST(Spawn, output_errors_and_status_come_back) {
  const Finished finished = run("echo out; echo err >&2; exit 7");
  EXPECT_EQ(finished.output, "out\nerr\n");
  EXPECT_EQ(finished.result.what, Wait::ended);
  EXPECT_EQ(describe(finished.result.end), "ended with status 7");
}

TEST(Spawn, the_ways_to_die_are_told) {
  EXPECT_EQ(describe(run("kill -SEGV $$").result.end),
            "was killed by signal 11 (Segmentation fault)");
  EXPECT_EQ(describe(run("kill -KILL $$").result.end),
            "was killed by signal 9 (Killed; out of memory?)");
}

TEST(Spawn, a_program_that_is_none_is_an_error) {
  SpawnOptions options;
  options.arguments = {"/nowhere/llama-server"};
  EXPECT_EQ(spawn(options).error().message, "/nowhere/llama-server: No such file or directory");
  options.arguments = {"/etc/passwd"};
  EXPECT_EQ(spawn(options).error().message, "/etc/passwd: Permission denied");
}

TEST(Spawn, what_we_have_open_stays_with_us) {
  std::array<int, 8> leaky{};
  for (int& descriptor : leaky) descriptor = ::open("/dev/zero", O_RDONLY);  // no close-on-exec
  ::setenv("NL_TEST_SECRET", "hunter2", 1);
  const Finished finished = run("ls /proc/$$/fd; tr '\\0' '\\n' < /proc/$$/environ; pwd; umask");
  for (const int descriptor : leaky) ::close(descriptor);
  ::unsetenv("NL_TEST_SECRET");
  // The shell opens nothing of its own here; dash keeps none.
  EXPECT_EQ(finished.output, "0\n1\n2\n/\n0077\n");
}

TEST(Spawn, signals_start_afresh) {
  ::signal(SIGPIPE, SIG_IGN);
  const Finished finished = run("grep -E 'SigIgn|SigBlk' /proc/self/status");
  std::string output = finished.output;
  // Signal 32 is the C library's own: nobody can set it, and whoever started us may ignore it.
  const std::size_t own = output.find("SigIgn:\t0000000080000000");
  if (own != std::string::npos) output.replace(own + 16, 1, "0");
  EXPECT_EQ(output, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

TEST(Spawn, limits_hold) {
  SpawnOptions options;
  options.memory_bytes_max = 64 << 20;
  options.files_max = 40;
  const Finished finished = run("ulimit -n; ulimit -v; ulimit -c; nice", options);
  EXPECT_EQ(finished.output, "40\n65536\n0\n10\n");
}

TEST(Spawn, what_the_child_started_dies_with_it) {
  const Finished finished = run("sleep 1000 >/dev/null 2>&1 & echo $!");
  const pid_t left = std::stoi(finished.output);
  for (int i = 0; i < 500 && ::kill(left, 0) == 0; ++i) {
    // An orphan's remains may wait for whoever reaps orphans here.
    if (text_of("/proc/" + std::to_string(left) + "/stat").find(") Z ") != std::string::npos) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  const std::string stat = text_of("/proc/" + std::to_string(left) + "/stat");
  EXPECT_TRUE(stat.empty() || stat.find(") Z ") != std::string::npos) << stat;
}

// A process in between plays the gateway, and is killed the hard way.
TEST(Spawn, the_child_dies_with_its_parent) {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);  // the orphan becomes ours
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const pid_t gateway = ::fork();
  if (gateway == 0) {
    SpawnOptions options;
    options.arguments = {"/bin/sleep", "1000"};
    const auto spawned = spawn(options);
    const pid_t pid = spawned ? spawned->pid : -1;
    (void)!::write(ends[1], &pid, sizeof pid);
    for (;;) ::pause();
  }
  pid_t child = -1;
  ASSERT_EQ(::read(ends[0], &child, sizeof child), static_cast<ssize_t>(sizeof child));
  ASSERT_GT(child, 1);
  ASSERT_EQ(::kill(child, 0), 0);
  ::kill(gateway, SIGKILL);
  int status = 0;
  ASSERT_EQ(::waitpid(gateway, &status, 0), gateway);
  WaitResult result;
  for (int i = 0; i < 1000; ++i) {
    result = wait_now(child);
    if (result.what != Wait::running) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  ::prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
  ::close(ends[0]);
  ::close(ends[1]);
  EXPECT_EQ(result.what, Wait::ended);
  EXPECT_EQ(result.end.signal, SIGKILL);
}

}  // namespace
}  // namespace nl::engine
