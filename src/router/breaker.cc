#include "router/breaker.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace nl::router {

namespace {

// A probe that never reports blocks no longer than the usual wait for a first progress.
constexpr std::chrono::seconds kProbeMax{60};

}  // namespace

Duration Breaker::scaled(Duration time) const {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(time) * scale_);
}

BreakerState Breaker::state(Instant now) const {
  if (!open_) return BreakerState::closed;
  return now < open_until_ ? BreakerState::open : BreakerState::half_open;
}

bool Breaker::would_allow(Instant now) const {
  switch (state(now)) {
    case BreakerState::closed:
      return true;
    case BreakerState::open:
      return false;
    case BreakerState::half_open:
      return !probing_ || now - probe_started_ >= scaled(kProbeMax);
  }
  return false;
}

bool Breaker::allow(Instant now) {
  if (!would_allow(now)) return false;
  if (open_) {
    probing_ = true;
    probe_started_ = now;
  }
  return true;
}

void Breaker::success(Instant now) {
  switch (state(now)) {
    case BreakerState::closed:
      failures_in_row_ = 0;
      count(now, 0);
      return;
    case BreakerState::open:
      // An attempt from before the opening came through late; a stated reset outranks it.
      return;
    case BreakerState::half_open:
      break;
  }
  open_ = false;
  probing_ = false;
  failures_in_row_ = 0;
  open_for_ = scaled(kOpenFirst);
  buckets_.fill(Bucket{});
  reason_.clear();
}

void Breaker::failure(Instant now, double jitter) {
  switch (state(now)) {
    case BreakerState::closed:
      break;
    case BreakerState::open:
      return;
    case BreakerState::half_open:
      open(now, jitter);
      return;
  }
  ++failures_in_row_;
  count(now, 1);
  int attempts = 0;
  int failures = 0;
  const std::int64_t oldest = slice_of(now) - static_cast<std::int64_t>(kBuckets) + 1;
  for (const Bucket& bucket : buckets_) {
    if (bucket.slice < oldest) continue;
    attempts += bucket.attempts;
    failures += bucket.failures;
  }
  if (failures_in_row_ >= kFailuresInRow) {
    reason_ = std::to_string(failures_in_row_) + " failures in a row";
    open(now, jitter);
  } else if (attempts >= kWindowAttempts && failures * 2 >= attempts) {
    reason_ = std::to_string(failures) + " of " + std::to_string(attempts) + " attempts failed";
    open(now, jitter);
  }
}

void Breaker::trip(Instant now, double jitter) {
  if (state(now) == BreakerState::open) return;
  if (!open_) reason_ = "not reached";
  open(now, jitter);
}

void Breaker::abandon() {
  probing_ = false;
}

void Breaker::hold_until(Instant until, std::string reason) {
  // Two answers may state different resets: the later one wins, so that none is cut short.
  if (!open_ || until >= open_until_) {
    open_until_ = until;
    reason_ = std::move(reason);
  }
  open_ = true;
  probing_ = false;
}

Instant Breaker::ready_at(Instant now) const {
  switch (state(now)) {
    case BreakerState::closed:
      return now;
    case BreakerState::open:
      return open_until_;
    case BreakerState::half_open:
      return would_allow(now) ? now : probe_started_ + scaled(kProbeMax);
  }
  return now;
}

void Breaker::count(Instant now, int failures) {
  const std::int64_t slice = slice_of(now);
  Bucket& bucket = buckets_[static_cast<std::size_t>(slice) % buckets_.size()];
  if (bucket.slice != slice) bucket = Bucket{slice, 0, 0};
  ++bucket.attempts;
  bucket.failures += failures;
}

void Breaker::open(Instant now, double jitter) {
  assert(jitter >= 0 && jitter < 1);
  open_ = true;
  probing_ = false;
  failures_in_row_ = 0;
  const auto spread = std::chrono::duration<double>(open_for_) * (0.8 + 0.4 * jitter);
  open_until_ = now + std::chrono::duration_cast<Duration>(spread);
  open_for_ = std::min<Duration>(open_for_ * 2, scaled(kOpenMax));
}

}  // namespace nl::router
