// HandedChild: a running engine that this program leaves to the one that replaces it.
//
// A planned restart executes the new program in the same process: the child stays its child, and
// the model stays loaded. The new supervisor takes the child over when what it would start itself
// is the same to the byte; else it ends it. Descriptors belong to whoever holds the value. Plain
// values.
#pragma once

#include <sys/types.h>

#include <string>

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
  int steps_down = 0;       // Wanted::steps_down of it
};

}  // namespace nl::engine
