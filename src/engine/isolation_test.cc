// What a running engine can see and reach: nothing of ours, and nobody else.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/local/stream_protocol.hpp>
#include <cstdlib>
#include <filesystem>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "engine/supervisor_fixture.h"

namespace nl::engine {
namespace {

using std::chrono::seconds;

class IsolationTest : public ::testing::Test, public SupervisedEngine {
 protected:
  void SetUp() override {
    if (!ScriptedEngine::possible()) GTEST_SKIP() << "no python3";
#ifdef __linux__
    // As the gateway is: what the child is must not depend on it.
    ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
  }
  void TearDown() override {
#ifdef __linux__
    ::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
#endif
  }
};

TEST_F(IsolationTest, the_child_has_no_environment_no_descriptors_and_no_privileges) {
  begin("normal");
  ASSERT_TRUE(await_ready());
  // The interpreter itself sets what it likes; the kernel shows what it was given.
  const std::string pid = std::to_string(supervisor->snapshot().pid);
  EXPECT_EQ(http::file_text("/proc/" + pid + "/environ"), "");
  // Streams, its listener, the accepted connection, the listing of the folder itself.
  EXPECT_EQ(get("/fds").body, "0 1 2 3 4 5");
  EXPECT_EQ(std::filesystem::read_symlink("/proc/" + pid + "/fd/0"), "/dev/null");
  const std::string status = get("/status").body;
  EXPECT_TRUE(contains(status, "NoNewPrivs:\t1"));
  EXPECT_TRUE(contains(status, "CapEff:\t0000000000000000"));
  EXPECT_EQ(get("/oom").body, "800\n");
  const std::string limits = get("/limits").body;
  EXPECT_TRUE(contains(limits, "Max core file size        0                    0"));
  EXPECT_TRUE(contains(limits, "Max open files            1024                 1024"));
  EXPECT_EQ(::getpgid(supervisor->snapshot().pid), supervisor->snapshot().pid);
}

TEST_F(IsolationTest, the_child_cannot_reach_the_network) {
  begin("normal");
  ASSERT_TRUE(await_ready());
  if (supervisor->snapshot().network == NetworkRule::open) GTEST_SKIP() << "no filter here";
  EXPECT_EQ(get("/inet").body, "13 13 13 13");  // EACCES
  EXPECT_TRUE(contains(get("/status").body, "Seccomp:\t2"));
}

TEST_F(IsolationTest, the_child_cannot_reach_another_unix_socket) {
  begin("normal");
  ASSERT_TRUE(await_ready());
  if (supervisor->snapshot().network == NetworkRule::open) GTEST_SKIP() << "no filter here";
  http::asio::io_context io;
  using Local = http::asio::local::stream_protocol;
  Local::acceptor neighbour(io, Local::endpoint(engine.file("neighbour")));
  Local::socket friend_of_ours(io);
  friend_of_ours.connect(Local::endpoint(engine.file("neighbour")));  // it is there to be reached
  EXPECT_EQ(get("/reach").body, "13 13 13");                          // EACCES
}

// As CUDA does to hand its memory to other processes; it does not start where that is refused.
TEST_F(IsolationTest, the_child_may_listen_on_a_seqpacket_socket) {
  begin("normal");
  ASSERT_TRUE(await_ready());
  EXPECT_EQ(get("/seqpacket").body, "listens");
}

TEST_F(IsolationTest, the_child_listens_on_its_socket_alone) {
  begin("normal");
  ASSERT_TRUE(await_ready());
  const std::string pid = std::to_string(supervisor->snapshot().pid);
  int sockets = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + pid + "/fd")) {
    std::error_code error;
    const std::string target = std::filesystem::read_symlink(entry.path(), error);
    if (!target.starts_with("socket:[")) continue;
    ++sockets;
    const std::string inode = " " + target.substr(8, target.size() - 9) + " ";
    for (const char* table : {"tcp", "tcp6", "udp", "udp6", "raw", "raw6"}) {
      EXPECT_FALSE(contains(http::file_text("/proc/" + pid + "/net/" + table), inode)) << table;
    }
    const bool is_unix = contains(http::file_text("/proc/" + pid + "/net/unix"), inode);
    // A question about its health may have ended meanwhile, and its socket with it.
    const bool still_there = std::filesystem::read_symlink(entry.path(), error) == target;
    EXPECT_TRUE(is_unix || !still_there) << target;
  }
  EXPECT_GE(sockets, 1);
}

TEST_F(IsolationTest, the_socket_lies_in_a_folder_of_ours_alone) {
  begin("normal");
  ASSERT_TRUE(await_ready());
  const std::filesystem::path socket = supervisor->snapshot().endpoint.host;
  struct stat found {};
  ASSERT_EQ(::stat(socket.parent_path().c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777U, 0700U);
  supervisor.reset();
  EXPECT_FALSE(std::filesystem::exists(socket.parent_path()));
}

// The real engine and the self-test model, where they have been built.
TEST_F(IsolationTest, the_real_engine_serves) {
  const char* const named = std::getenv("NIGHTLIGHT_LLAMA_SERVER");
  const std::string here = std::filesystem::current_path();
  Wanted what;
  what.programs = {named != nullptr ? named : here + "/build/engine/bin/llama-server"};
  const char* const model = std::getenv("NL_EMBER");
  const std::filesystem::path beside = std::filesystem::read_symlink("/proc/self/exe");
  what.model = model != nullptr ? model : beside.parent_path() / "ember.gguf";
  if (!std::filesystem::exists(what.programs.front()) || !std::filesystem::exists(what.model)) {
    GTEST_SKIP() << "no engine or no ember here";
  }
  SupervisorOptions options = quick();
  options.limits.health_within = seconds(3);
  supervisor = std::make_unique<Supervisor>(loop, what, options);
  const auto endpoint = await_ready();
  ASSERT_TRUE(endpoint) << endpoint.error().message;
  const EngineState state = supervisor->snapshot();
  EXPECT_TRUE(state.is_ember);
  EXPECT_EQ(http::file_text("/proc/" + std::to_string(state.pid) + "/environ"), "");
  EXPECT_EQ(http::file_text("/proc/" + std::to_string(state.pid) + "/oom_score_adj"), "800\n");
  EXPECT_EQ(get("/health").status, 200);
  EXPECT_TRUE(contains(get("/slots").body, "\"is_processing\""));
  EXPECT_EQ(get("/props").status, 200);
  EXPECT_EQ(http::run_on(loop, stop_it(*this)), 1);
}

}  // namespace
}  // namespace nl::engine
