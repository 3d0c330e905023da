#include "http/wheel.h"

#include <algorithm>
#include <limits>

namespace nl::http {
namespace {

constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

// The first tick that is not before `at`.
std::uint64_t tick_of(Instant at) {
  const auto since = std::max(at.time_since_epoch(), Duration::zero());
  const auto ticks = since / Wheel::kTick;
  return static_cast<std::uint64_t>(ticks) + (since % Wheel::kTick == Duration::zero() ? 0U : 1U);
}

std::uint64_t tick_passed(Instant now) {
  return static_cast<std::uint64_t>(now.time_since_epoch() / Wheel::kTick);
}

}  // namespace

Timer::~Timer() {
  disarm();
}

void Timer::disarm() {
  if (wheel_ != nullptr) wheel_->unlink(*this);
}

Wheel::Wheel(boost::asio::io_context& io, const Clock& clock)
    : sleeper_(io), clock_(clock), done_tick_(tick_passed(clock.now())), sleeping_tick_(kNever) {}

Wheel::~Wheel() {
  // Timers may outlive the wheel: coroutine frames die with the io_context.
  while (due_ != nullptr) unlink(*due_);
  for (Timer*& head : slots_) {
    while (head != nullptr) unlink(*head);
  }
}

void Wheel::arm(Timer& timer, Instant at) {
  timer.disarm();
  if (at == Instant::max()) return;
  timer.tick_ = std::max(tick_of(at), done_tick_ + 1);
  link(timer, slots_[timer.tick_ % kSlots]);
  if (timer.tick_ < sleeping_tick_) sleep_until(timer.tick_);
}

void Wheel::link(Timer& timer, Timer*& head) {
  timer.wheel_ = this;
  timer.next_ = head;
  timer.link_ = &head;
  if (head != nullptr) head->link_ = &timer.next_;
  head = &timer;
  ++armed_count_;
}

void Wheel::unlink(Timer& timer) {
  *timer.link_ = timer.next_;
  if (timer.next_ != nullptr) timer.next_->link_ = timer.link_;
  timer.next_ = nullptr;
  timer.link_ = nullptr;
  timer.wheel_ = nullptr;
  --armed_count_;
}

void Wheel::collect_due(std::uint64_t now_tick) {
  const std::uint64_t count = std::min<std::uint64_t>(now_tick - done_tick_, kSlots);
  for (std::uint64_t tick = now_tick - count + 1; tick <= now_tick; ++tick) {
    for (Timer* timer = slots_[tick % kSlots]; timer != nullptr;) {
      Timer* const next = timer->next_;
      if (timer->tick_ <= now_tick) {
        unlink(*timer);
        link(*timer, due_);
      }
      timer = next;
    }
  }
}

void Wheel::fire_due() {
  const std::uint64_t now_tick = tick_passed(clock_.now());
  if (now_tick > done_tick_) {
    collect_due(now_tick);
    done_tick_ = now_tick;
  }
  // A deadline may disarm or destroy any timer that is still in the list, so take one at a time.
  while (due_ != nullptr) {
    Timer& timer = *due_;
    unlink(timer);
    timer.on_deadline();
  }
}

std::uint64_t Wheel::next_tick() const {
  if (armed_count_ == 0) return kNever;
  std::uint64_t earliest = kNever;
  for (std::uint64_t tick = done_tick_ + 1; tick <= done_tick_ + kSlots; ++tick) {
    for (const Timer* timer = slots_[tick % kSlots]; timer != nullptr; timer = timer->next_) {
      if (timer->tick_ == tick) return tick;  // all others of this round come later
      earliest = std::min(earliest, timer->tick_);
    }
  }
  return earliest;
}

void Wheel::sleep_until(std::uint64_t tick) {
  sleeping_tick_ = tick;
  if (tick == kNever) return;
  const Instant at{kTick * static_cast<std::int64_t>(tick)};
  sleeper_.expires_after(std::max(at - clock_.now(), Duration::zero()));
  sleeper_.async_wait([this](const boost::system::error_code& failure) {
    if (failure) return;  // replaced by an earlier one, or the wheel is gone
    sleeping_tick_ = kNever;
    fire_due();
    const std::uint64_t next = next_tick();
    if (next < sleeping_tick_) sleep_until(next);
  });
}

}  // namespace nl::http
