#include "base/confinement.h"

#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <string>

namespace nl {
namespace {

// How a child ended that was confined and then did `work`, which gives its exit status.
int ended(const std::function<int(const Confinement&)>& work) {
  const pid_t child = fork();
  if (child == 0) _exit(work(confine_to_reading()));
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return status;
}

int status_of(const std::function<int(const Confinement&)>& work) {
  const int status = ended(work);
  EXPECT_TRUE(WIFEXITED(status)) << status;
  return WEXITSTATUS(status);
}

bool opens(const std::string& path, int flags) {
  const int file = open(path.c_str(), flags, 0600);
  if (file >= 0) close(file);
  return file >= 0;
}

bool holds_calls() {
  return status_of([](const Confinement& held) { return held.calls ? 1 : 0; }) == 1;
}

bool holds_files() {
  return status_of([](const Confinement& held) { return held.files ? 1 : 0; }) == 1;
}

class ConfinementTest : public testing::Test {
 protected:
  ConfinementTest() : secret_(testing::TempDir() + "confinement_" + std::to_string(getpid())) {
    std::ofstream(secret_) << "secret";
  }
  ~ConfinementTest() override { unlink(secret_.c_str()); }

  std::string secret_;
};

TEST_F(ConfinementTest, HoldsBackFilesOfTheUser) {
  if (!holds_files()) GTEST_SKIP() << "this system has no Landlock";
  ASSERT_TRUE(opens(secret_, O_RDONLY));
  EXPECT_EQ(status_of([this](const Confinement&) { return opens(secret_, O_RDONLY) ? 1 : 0; }), 0);
  EXPECT_EQ(status_of([](const Confinement&) { return opens("/etc/passwd", O_RDONLY) ? 1 : 0; }),
            0);
}

TEST_F(ConfinementTest, HoldsBackNetworkProgramsProcessesAndWriting) {
  if (!holds_calls()) GTEST_SKIP() << "this system has no seccomp";
  const int wrong = status_of([this](const Confinement&) {
    int done = 0;
    if (socket(AF_INET, SOCK_STREAM, 0) >= 0) done |= 1;
    if (socket(AF_UNIX, SOCK_STREAM, 0) >= 0) done |= 2;
    if (opens(secret_, O_WRONLY) || opens(secret_ + "_new", O_WRONLY | O_CREAT)) done |= 4;
    const pid_t child = fork();
    if (child == 0) _exit(0);
    if (child > 0) done |= 8;
    if (kill(getppid(), 0) == 0) done |= 16;
    if (unlink(secret_.c_str()) == 0 || rename(secret_.c_str(), "/tmp/confined") == 0) done |= 32;
    char* const words[] = {const_cast<char*>("true"), nullptr};
    execve("/bin/true", words, nullptr);
    return errno == EPERM ? done : done | 64;
  });
  EXPECT_EQ(wrong, 0);
}

TEST_F(ConfinementTest, LeavesMemoryAndTheSystemsFolders) {
  const int missing = status_of([](const Confinement&) {
    int lacks = 0;
    const std::string room(std::size_t{64} << 20U, 'x');
    if (room.back() != 'x') lacks |= 1;
    DIR* folder = opendir("/usr");
    if (folder == nullptr || readdir(folder) == nullptr) lacks |= 2;
    if (folder != nullptr) closedir(folder);
    if (write(STDERR_FILENO, "", 0) != 0) lacks |= 4;
    return lacks;
  });
  EXPECT_EQ(missing, 0);
}

TEST_F(ConfinementTest, LetsACrashBeOne) {
  const int status = ended([](const Confinement&) -> int {
    std::signal(SIGABRT, SIG_DFL);
    std::abort();
  });
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGABRT);
}

}  // namespace
}  // namespace nl
