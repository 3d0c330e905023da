// HandedChild: a running engine that this program leaves to the one that replaces it.
//
// A planned restart executes the new program in the same process: the child stays its child, and
// the model stays loaded. The new supervisor takes the child over when what it would start itself,
// with the memory that was free then, is the same to the byte; else it ends it. Descriptors belong
// to whoever holds the value. Plain values.
#pragma once

#include <sys/types.h>

#include <string>

#include "engine/machine.h"
#include "engine/spawn.h"

namespace nl::engine {

struct HandedChild {
  pid_t pid = -1;
  int output = -1;
  NetworkRule network = NetworkRule::open;
  std::string folder;       // of its socket
  int folder_lock = -1;     // that folder, open and locked
  std::string fingerprint;  // Prepared::fingerprint of what was started
  int starts = 1;           // so far, this one included
  FreeMemory free;          // that it was planned for
  bool verified = false;    // it has shown that it holds what was planned, and answers
};

}  // namespace nl::engine
