// spawn(): starts a program as the engine's child: alone, without our secrets and without network.
//
// The child has an empty environment, standard input from nowhere, output and errors in one pipe,
// no other descriptor, a process group of its own, no core files, no capabilities, a lower
// priority, the first place when memory runs out, and it is killed when the thread that started it
// ends (so with this process, and not when that thread replaces this program by another). On Linux
// on x86-64 and arm64 a system call filter leaves it unix sockets only; NetworkRule says whether
// that holds. begin_spawn() takes the time of a fork; finish_spawn() waits until the program has
// been loaded, so it may block on a slow disk: call it off the loop. System-specific:
// spawn_linux.cc, spawn_other.cc.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"

namespace nl::engine {

struct SpawnOptions {
  std::vector<std::string> arguments;  // the first is the program's absolute path
  std::uint64_t memory_bytes_max = 0;  // address space; 0 = no limit
  std::uint64_t files_max = 1024;
  int niceness = 10;
  int oom_score_adjust = 800;
};

enum class NetworkRule : std::uint8_t {
  unix_only,  // the kernel refuses every other socket, and every connection to somebody else
  open,       // this system has no such rule: the fixed arguments alone keep it off the network
};

// A running child. The receiver owns the descriptors and must wait for the process.
struct Spawned {
  pid_t pid = -1;
  int pid_descriptor = -1;  // readable once it has ended; -1 where the system has none
  int output = -1;          // its output and errors; not blocking
  NetworkRule network = NetworkRule::open;
};

// A child on its way to be the program. The receiver hands it to finish_spawn(), always.
struct Begun {
  Spawned spawned;
  int report = -1;  // on which it tells why it could not start; -1 = it runs
  std::string program;
  std::string oom_score;
};

// Errors: io (out of processes or descriptors; elsewhere than on Linux those of finish_spawn too).
Result<Begun> begin_spawn(const SpawnOptions& options);
// Errors: io (no such program, not executable).
Result<Spawned> finish_spawn(const Begun& begun);
// Both.
Result<Spawned> spawn(const SpawnOptions& options);

// A child that an earlier image of this process has started. Errors: not_found (it is no child of
// ours: nothing is done to it).
Result<Spawned> adopt(pid_t pid, int output, NetworkRule network);
// Readable once the process has ended; -1 where the system has no such thing.
int open_process(pid_t pid);

// Kills what is left of the child's group; for a child that has not been waited for.
void kill_group(pid_t pid, int signal);

// How a child ended, without waiting for it: nothing = it still runs.
struct ChildEnd {
  int status = 0;  // exit status, when no signal
  int signal = 0;
};
enum class Wait : std::uint8_t { running, ended, unknown };
struct WaitResult {
  Wait what = Wait::unknown;
  ChildEnd end;
};
WaitResult wait_now(pid_t pid);

// "ended with status 1", "was killed by signal 11 (Segmentation fault)".
std::string describe(const ChildEnd& end);

}  // namespace nl::engine
