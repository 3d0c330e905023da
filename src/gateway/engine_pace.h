// EnginePace: how long the engine may be silent before it counts as stalled.
//
// A machine without a graphics card reads a prompt for minutes, batch by batch, and says so after
// each; that as a whole has no bound. Between two signs of life the pace of the signs before it
// decides, within the budget for reasoning; once tokens come it is the ordinary silence. The time
// for the whole answer counts from the end of reading. Pure; times are arguments.
#pragma once

#include <algorithm>

#include "base/clock.h"
#include "gateway/options.h"

namespace nl::gateway {

class EnginePace {
 public:
  // `total` = for the answer, once it begins.
  EnginePace(const GatewayOptions& options, Duration total, Instant now)
      : options_(options), total_(total), at_(now), read_until_(now) {}

  // The prompt is being read.
  void reads(Instant now) {
    if (signs_ > 0) longest_ = std::max(longest_, now - at_);
    signs_ = std::min(signs_ + 1, kSignsEnough);
    at_ = now;
    if (!writes_) read_until_ = now;
  }
  // Something of the answer came.
  void writes(Instant now) {
    writes_ = true;
    at_ = now;
  }
  // Whoever asked for images waits for their encoding too, which tells nothing.
  void has_images() { images_ = true; }

  Instant last() const { return at_; }
  Instant deadline() const { return std::min(at_ + silence(), read_until_ + total_); }

 private:
  Duration silence() const {
    const Duration most = std::max(options_.reasoning, options_.silence);
    if (writes_) return options_.silence;
    if (signs_ < kSignsEnough || images_) return most;
    return std::clamp(longest_ * 4, options_.silence, most);
  }

  // The first is given at once; from the second on a pace is known.
  static constexpr int kSignsEnough = 2;

  const GatewayOptions& options_;
  Duration total_;
  Instant at_;
  Instant read_until_;
  Duration longest_{};
  int signs_ = 0;
  bool writes_ = false;
  bool images_ = false;
};

}  // namespace nl::gateway
