#include "engine/spawn.h"

#include <fmt/format.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace nl::engine {
namespace {

bool ask_system(pid_t pid, siginfo_t& found, int how) {
  int done = -1;
  do {
    done = ::waitid(P_PID, static_cast<id_t>(pid), &found, WEXITED | WNOHANG | how);
  } while (done != 0 && errno == EINTR);
  return done == 0;
}

}  // namespace

Result<Spawned> spawn(const SpawnOptions& options) {
  const auto begun = begin_spawn(options);
  if (!begun) return std::unexpected(begun.error());
  return finish_spawn(*begun);
}

Result<Spawned> adopt(pid_t pid, int output, NetworkRule network) {
  siginfo_t found{};
  if (pid <= 1 || !ask_system(pid, found, WNOWAIT)) {
    return fail(ErrorCode::not_found, fmt::format("process {} is no child of ours", pid));
  }
  Spawned spawned;
  spawned.pid = pid;
  spawned.pid_descriptor = open_process(pid);
  spawned.output = output;
  spawned.network = network;
  return spawned;
}

void kill_group(pid_t pid, int signal) {
  if (pid <= 1) return;
  if (::kill(-pid, signal) != 0) ::kill(pid, signal);
}

WaitResult wait_now(pid_t pid) {
  siginfo_t found{};
  WaitResult result;
  if (!ask_system(pid, found, WNOWAIT)) return result;
  if (found.si_pid == 0) {
    result.what = Wait::running;
    return result;
  }
  // Whatever it has started ends with it, while its pid cannot be somebody else's yet.
  ::kill(-pid, SIGKILL);
  (void)ask_system(pid, found, 0);
  result.what = Wait::ended;
  if (found.si_code == CLD_EXITED) {
    result.end.status = found.si_status;
  } else {
    result.end.signal = found.si_status;
  }
  return result;
}

std::string describe(const ChildEnd& end) {
  if (end.signal == 0) return fmt::format("ended with status {}", end.status);
  const char* const known = ::strsignal(end.signal);
  return fmt::format("was killed by signal {} ({}{})", end.signal, known == nullptr ? "?" : known,
                     end.signal == SIGKILL ? "; out of memory?" : "");
}

}  // namespace nl::engine
