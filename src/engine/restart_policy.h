// RestartPolicy: when a child that ended is started again, and when it is given up.
//
// A pure machine. The pause is 0.5 s after an end and doubles to 30 s. A run is good once it has
// given an answer or stayed ready for five minutes: its end counts for nothing, and pause and count
// begin anew. After five ends in a row that were not preceded by anything good it gives up until
// asked again: a model that cannot load, or dies of every request, will not get better by being
// tried. Whoever waits for it still gets one more try every longest pause. Time is an argument. One
// thread.
#pragma once

#include <optional>

#include "base/clock.h"

namespace nl::engine {

class RestartPolicy {
 public:
  static constexpr int kFailuresMax = 5;
  static constexpr Duration kGoodAfter = std::chrono::minutes(5);

  explicit RestartPolicy(Duration first = std::chrono::milliseconds(500),
                         Duration most = std::chrono::seconds(30))
      : first_(first), most_(most), pause_(first) {}

  void ready(Instant now) { ready_since_ = now; }
  // The running child has given an answer.
  void answered() { forgive(); }
  // It ended, or never became ready.
  void failed(Instant now) {
    if (ready_since_ && now - *ready_since_ >= kGoodAfter) forgive();
    ready_since_.reset();
    ++failures_;
    again_at_ = now + pause_;
    pause_ = pause_ * 2 < most_ ? pause_ * 2 : most_;
  }
  // Somebody asks for it anew, or something about it has changed.
  void asked() {
    forgive();
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
  void forgive() {
    failures_ = 0;
    pause_ = first_;
  }

  Duration first_;
  Duration most_;
  Duration pause_;
  Instant again_at_{};
  int failures_ = 0;
  std::optional<Instant> ready_since_;
};

}  // namespace nl::engine
