// Child: another program that runs for as long as this one wants it, with an environment of its
// own.
//
// Given a log it stands in a session of its own, so that a key press meant for us does not reach
// it, and its whole group ends with it; on the terminal it shares ours. Destroying a Child ends it.
// On Linux it also ends when the thread that started it does. Not for the engine's child. One
// thread.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace nl {

struct ChildOrder {
  std::vector<std::string> arguments;    // the first is the file
  std::vector<std::string> environment;  // "NAME=value", all there is
  std::string folder;                    // working directory
  std::string output;                    // stdout, truncated; empty = our terminal, stdin too
  std::string errors;                    // stderr, truncated; empty = where stdout goes
};

class Child {
 public:
  // Errors: io.
  static Result<Child> start(const ChildOrder& order);
  ~Child() { end(std::chrono::seconds(3)); }
  Child(Child&& other) noexcept;
  Child& operator=(Child&& other) noexcept;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // The exit status once it has ended, 128 + N for signal N.
  std::optional<int> poll();
  // Asks it to end and, after `grace`, makes it; then nothing of its group is left. Its status.
  int end(Duration grace);

 private:
  Child(pid_t pid, bool leads_group) : pid_(pid), leads_group_(leads_group) {}
  void signal(int number) const;

  pid_t pid_ = -1;
  bool leads_group_ = false;
  std::optional<int> status_;
};

}  // namespace nl
