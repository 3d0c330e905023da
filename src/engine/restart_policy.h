// RestartPolicy: when a child that ended is started again, and when it is given up.
//
// A pure machine. The pause is 0.5 s after a failure and doubles to 30 s; being ready sets it back.
// After five failures without one readiness in between it gives up until asked again: a model that
// cannot load will not load by being tried. Time is an argument. One thread.
#pragma once

#include "base/clock.h"

namespace nl::engine {

class RestartPolicy {
 public:
  static constexpr int kFailuresMax = 5;

  explicit RestartPolicy(Duration first = std::chrono::milliseconds(500),
                         Duration most = std::chrono::seconds(30))
      : first_(first), most_(most), pause_(first) {}

  void ready() {
    failures_ = 0;
    pause_ = first_;
  }
  // It ended, or never became ready.
  void failed(Instant now) {
    ++failures_;
    again_at_ = now + pause_;
    pause_ = pause_ * 2 < most_ ? pause_ * 2 : most_;
  }
  // Somebody asks for it anew, or something about it has changed.
  void asked() {
    failures_ = 0;
    pause_ = first_;
    again_at_ = Instant();
  }
  // One more try after having given up, for a caller who waits: at most one every longest pause.
  bool allow_one_more(Instant now) {
    if (!given_up() || now < again_at_ + most_) return false;
    --failures_;
    return true;
  }
  bool given_up() const { return failures_ >= kFailuresMax; }
  Instant again_at() const { return again_at_; }
  int failures() const { return failures_; }

 private:
  Duration first_;
  Duration most_;
  Duration pause_;
  Instant again_at_{};
  int failures_ = 0;
};

}  // namespace nl::engine
