// ProgressWatch: judges from what the engine says of its slots whether it still works or hangs.
//
// A pure machine over the bodies of GET /slots. Nothing to do is no hang; a slot at work whose
// report does not change for `still_max` is one; so is a report that does not come at all for
// `silent_max`, which is longer, as the engine answers only between two batches. Time is an
// argument. One thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/clock.h"

namespace nl::engine {

struct ProgressLimits {
  Duration still_max = std::chrono::seconds(30);
  Duration silent_max = std::chrono::seconds(120);
};

class ProgressWatch {
 public:
  explicit ProgressWatch(ProgressLimits limits) : limits_(limits) {}

  // A new child, or one that has proved that it works.
  void begin(Instant now);
  void report(std::string_view slots, Instant now);
  bool hangs(Instant now) const;
  // Whether anything has moved since `since`: reports that show work or idleness.
  bool moved_since(Instant since) const { return moved_at_ > since; }

 private:
  ProgressLimits limits_;
  Instant moved_at_{};
  Instant heard_at_{};
  std::uint64_t last_ = 0;  // a digest of the last report
  bool at_work_ = false;
};

}  // namespace nl::engine
