#include "engine/socket_folder.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "http/test_loop.h"

namespace nl::engine {
namespace {

namespace fs = std::filesystem;

unsigned mode_of(const std::string& path) {
  struct stat found {};
  return ::lstat(path.c_str(), &found) == 0 ? found.st_mode & 0777U : 0U;
}

TEST(SocketFolder, is_private_and_goes_away) {
  const http::TempFolder base;
  std::string folder;
  {
    const auto made = SocketFolder::make(base.path(), "");
    ASSERT_TRUE(made) << made.error().message;
    folder = fs::path((*made)->socket()).parent_path();
    EXPECT_EQ(mode_of(folder), 0700U);
    EXPECT_TRUE(folder.starts_with(base.path() + "/nightlight/engine-"));
    std::ofstream((*made)->socket()) << "stale";
    EXPECT_TRUE((*made)->clear());
    EXPECT_FALSE(fs::exists((*made)->socket()));
    EXPECT_TRUE((*made)->clear());
    std::ofstream((*made)->socket()) << "left";
  }
  EXPECT_FALSE(fs::exists(folder));
}

TEST(SocketFolder, a_path_that_is_too_long_falls_back_or_is_refused) {
  const http::TempFolder base;
  const std::string deep = base.path() + "/" + std::string(90, 'd');
  ASSERT_TRUE(fs::create_directory(deep));
  const auto fallen_back = SocketFolder::make(deep, base.path());
  ASSERT_TRUE(fallen_back);
  EXPECT_LE((*fallen_back)->socket().size(), kSocketPathMax);
  const auto refused = SocketFolder::make(deep, deep);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("107 bytes are the most"), std::string::npos);
}

TEST(SocketFolder, a_place_that_others_prepared_is_refused) {
  const http::TempFolder base;
  const std::string shared = base.path() + "/nightlight-" + std::to_string(::getuid());
  ASSERT_TRUE(fs::create_directory(shared));
  ::chmod(shared.c_str(), 0755);
  EXPECT_NE(SocketFolder::make("", base.path()).error().message.find("not a folder of ours alone"),
            std::string::npos);
  fs::remove(shared);
  const http::TempFolder elsewhere;
  fs::create_directory_symlink(elsewhere.path(), shared);
  EXPECT_FALSE(SocketFolder::make("", base.path()));
}

TEST(SocketFolder, a_folder_that_vanished_is_made_again) {
  const http::TempFolder base;
  const auto made = SocketFolder::make("", base.path());
  ASSERT_TRUE(made);
  const std::string folder = fs::path((*made)->socket()).parent_path();
  fs::remove_all(folder);
  EXPECT_TRUE((*made)->clear());
  EXPECT_EQ(mode_of(fs::path((*made)->socket()).parent_path()), 0700U);
}

// A process in between plays the gateway that is killed the hard way.
TEST(SocketFolder, what_a_killed_process_left_is_swept_and_nothing_else) {
  const http::TempFolder base;
  const auto living = SocketFolder::make(base.path(), "");
  ASSERT_TRUE(living);
  std::ofstream((*living)->socket()) << "in use";
  const std::string shared = base.path() + "/nightlight";
  fs::create_directory(shared + "/other");
  fs::create_directory(shared + "/engine-full");
  std::ofstream(shared + "/engine-full/notes") << "somebody's";
  fs::create_directory(base.path() + "/outside");
  std::ofstream(base.path() + "/outside/e.sock") << "far away";
  fs::create_directory_symlink(base.path() + "/outside", shared + "/engine-link");
  const pid_t killed = ::fork();
  if (killed == 0) {
    const auto made = SocketFolder::make(base.path(), "");
    if (made) std::ofstream((*made)->socket()) << "left";
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(killed, &status, 0), killed);
  ASSERT_EQ(status, SIGKILL);
  ASSERT_EQ(std::distance(fs::directory_iterator(shared), fs::directory_iterator()), 5);

  const auto next = SocketFolder::make(base.path(), "");
  ASSERT_TRUE(next);
  EXPECT_EQ(std::distance(fs::directory_iterator(shared), fs::directory_iterator()), 5);
  EXPECT_TRUE(fs::exists((*living)->socket()));
  EXPECT_TRUE(fs::exists(fs::path((*next)->socket()).parent_path()));
  EXPECT_TRUE(fs::exists(shared + "/engine-full/notes"));
  EXPECT_TRUE(fs::exists(base.path() + "/outside/e.sock"));
}

TEST(SocketFolder, many_at_once_never_take_each_others) {
  const http::TempFolder base;
  std::vector<std::thread> threads;
  std::atomic<int> lost{0};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 50; ++round) {
        const auto made = SocketFolder::make(base.path(), "");
        if (!made) {
          ++lost;
          continue;
        }
        std::ofstream((*made)->socket()) << "mine";
        std::this_thread::yield();
        if (!fs::exists((*made)->socket())) ++lost;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(lost, 0);
}

}  // namespace
}  // namespace nl::engine
