// Breaker: circuit breaker of one (provider, model, key); the only judge of "may it be tried now".
//
// A pure machine. Closed opens after 5 failures in a row, when at least half of at least 20
// attempts within 10 s failed, or at once when the host was not even reached; open lasts 1 s,
// doubling to 30 s with jitter while it reopens, then half-open admits one probe, closes on a
// success, reopens on a failure. A cooldown (quota, a stated reset) holds it shut for exactly that
// long; every other time is multiplied by `scale`. Time and jitter are arguments, so a test needs
// no clock. The caller's faults never count; the local tier has no breaker.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include "base/clock.h"

namespace nl::router {

enum class BreakerState : std::uint8_t { closed, open, half_open };

class Breaker {
 public:
  static constexpr int kFailuresInRow = 5;
  static constexpr int kWindowAttempts = 20;
  static constexpr std::chrono::seconds kWindow{10};
  static constexpr std::chrono::milliseconds kOpenFirst{1000};
  static constexpr std::chrono::milliseconds kOpenMax{30000};
  static constexpr std::size_t kBuckets = 10;

  Breaker() = default;
  explicit Breaker(double scale) : scale_(scale), open_for_(scaled(kOpenFirst)) {}

  // Whether an attempt may start at `now`. In half-open this takes the one probe.
  bool allow(Instant now);
  // The same question without taking the probe.
  bool would_allow(Instant now) const;
  void success(Instant now);
  // `jitter` in [0, 1) spreads the reopening by +-20 %.
  void failure(Instant now, double jitter);
  // A failure that waiting would only repeat: opens at once.
  void trip(Instant now, double jitter);
  // The attempt neither succeeded nor failed (client left): gives a probe back.
  void abandon();
  // Shut until `until`, then one probe: quota and credential verdicts.
  void hold_until(Instant until, std::string reason);
  BreakerState state(Instant now) const;
  // When the next attempt may start; `now` if at once.
  Instant ready_at(Instant now) const;
  const std::string& reason() const { return reason_; }

 private:
  struct Bucket {
    std::int64_t slice = -1;
    int attempts = 0;
    int failures = 0;
  };
  void count(Instant now, int failures);
  void open(Instant now, double jitter);
  Duration scaled(Duration time) const;
  // The tenth of a window that `now` is in.
  std::int64_t slice_of(Instant now) const { return now.time_since_epoch() / slice_; }

  double scale_ = 1.0;
  Duration slice_ = std::max<Duration>(scaled(kWindow) / kBuckets, Duration(1));
  std::array<Bucket, kBuckets> buckets_{};
  int failures_in_row_ = 0;
  bool open_ = false;
  bool probing_ = false;
  Instant probe_started_{};
  Instant open_until_{};
  Duration open_for_ = kOpenFirst;
  std::string reason_;
};

}  // namespace nl::router
