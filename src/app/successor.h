// Successor: the program that is to replace this one in the same process, and its rehearsal.
//
// The program is the one that was called, by the name it was called by: what an update has put in
// its place is what runs next. A rehearsal is a child that reads the configuration and ends; only a
// program that passes it is executed. Main thread, as the engine's child belongs to it.
#pragma once

#include <string>
#include <vector>

#include "app/handover.h"
#include "base/clock.h"
#include "base/environment.h"
#include "base/error.h"
#include "base/process_child.h"

namespace nl::app {

class Successor {
 public:
  // `words` is the command line, the program first.
  Successor(std::vector<std::string> words, const Environment& environment);

  // Replaces this process; returns only when that failed, with nothing changed. Errors: io.
  Error execute(const Handover& handover) const;

  // Starts a rehearsal. Errors: io.
  Result<Child> rehearse() const;
  const std::string& path() const { return path_; }

 private:
  std::vector<std::string> words_;
  const Environment& environment_;
  std::string path_;
};

// The word of the command line that asks for a rehearsal.
inline constexpr const char* kRehearsalOption = "--rehearse";
inline constexpr Duration kRehearsalWithin = std::chrono::seconds(15);

}  // namespace nl::app
