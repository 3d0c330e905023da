// Child: a running child process on the loop: its output, its end, and the ways to end it.
//
// Reads the output as it comes (debug log, last lines kept) and notices the end by the pid's
// descriptor where the system has one, else by looking every 50 ms. Nothing here ever waits for the
// process with the loop standing still. Destroying it kills the whole group at once. Loop thread.
#pragma once

#include <memory>
#include <string>

#include "engine/spawn.h"
#include "http/loop.h"
#include "http/wakeup.h"

namespace nl::engine {

class Child {
 public:
  // Takes over `spawned`. `changed` is notified when the child has ended; it must outlive this.
  Child(http::Loop& loop, const Spawned& spawned, http::Wakeup& changed);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const;
  NetworkRule network() const;
  bool ended() const;
  // "was killed by signal 11 (Segmentation fault): last line"; only once ended.
  std::string reason() const;
  // Whether it ended because memory ran out; only once ended.
  bool ended_for_memory() const;
  // What it said last.
  std::string last_words() const;
  // Asks it to end / ends it. The end is noticed later.
  void ask_to_end();
  void kill();
  // Gives the running process away: it is neither watched nor killed from here on. The descriptors
  // are the caller's.
  Spawned release();
  // Resident memory in bytes, as the system last counted; 0 = unknown. A read of one small file
  // that never waits for a disk.
  std::uint64_t resident_bytes() const;

 private:
  struct Watch;
  // Shared with the handlers that are pending on the loop: they outlive a destroyed Child and reap
  // the process.
  std::shared_ptr<Watch> watch_;
};

}  // namespace nl::engine
