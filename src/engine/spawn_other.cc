// spawn() where there is no Linux: untested. The child dies with us only if we end in order, and
// nothing but its arguments keeps it off the network.
#ifndef __linux__

#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

#include <array>
#include <cassert>
#include <cerrno>
#include <cstring>

#include "engine/spawn.h"

namespace nl::engine {
namespace {

Error said_by_system(const std::string& what, int error) {
  return Error(ErrorCode::io, what + ": " + std::strerror(error));
}

}  // namespace

int open_process(pid_t) {
  return -1;
}

Result<Begun> begin_spawn(const SpawnOptions& options) {
  assert(!options.arguments.empty());
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) return std::unexpected(said_by_system("pipe", errno));
  ::fcntl(ends[0], F_SETFD, FD_CLOEXEC);
  ::fcntl(ends[1], F_SETFD, FD_CLOEXEC);
  std::vector<char*> argv;
  for (const std::string& argument : options.arguments) {
    argv.push_back(const_cast<char*>(argument.c_str()));
  }
  argv.push_back(nullptr);
  char* const no_environment[] = {nullptr};

  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&files, ends[1], STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&files, ends[1], STDERR_FILENO);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  short flags = POSIX_SPAWN_SETPGROUP;
#ifdef POSIX_SPAWN_CLOEXEC_DEFAULT
  flags |= POSIX_SPAWN_CLOEXEC_DEFAULT;
#endif
  ::posix_spawnattr_setflags(&attributes, flags);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  pid_t pid = -1;
  const int why =
      ::posix_spawn(&pid, argv.front(), &files, &attributes, argv.data(), no_environment);
  ::posix_spawn_file_actions_destroy(&files);
  ::posix_spawnattr_destroy(&attributes);
  ::close(ends[1]);
  if (why != 0) {
    ::close(ends[0]);
    return std::unexpected(said_by_system(options.arguments.front(), why));
  }
  Begun begun;
  begun.spawned.pid = pid;
  begun.spawned.output = ends[0];
  ::fcntl(begun.spawned.output, F_SETFL, O_NONBLOCK);
  return begun;
}

Result<Spawned> finish_spawn(const Begun& begun) {
  return begun.spawned;
}

}  // namespace nl::engine

#endif
