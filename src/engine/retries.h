// Retries: whether what failed is tried again, and after what pause.
//
// The pause doubles with each failure, unless the other side says how long it wants to be left
// alone. Values; any thread.
#pragma once

#include <optional>

#include "base/clock.h"
#include "base/error.h"

namespace nl::engine {

// Trying again may help.
bool may_pass(const Error& error);

class Retries {
 public:
  Retries(int tries, Duration first_pause)
      : tries_(tries), first_pause_(first_pause), pause_(first_pause) {}

  // After a failure: the pause before the next try, or nothing where it is given up.
  std::optional<Duration> pause_after(const Error& error);
  // There was progress: the failures so far count no more.
  void start_over();

 private:
  const int tries_;
  const Duration first_pause_;
  Duration pause_;
  int failed_ = 0;
};

}  // namespace nl::engine
