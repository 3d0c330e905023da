// Wheel: the coarse deadlines of one loop.
//
// Arming, re-arming and disarming a Timer are a few pointer writes; a deadline fires up to one tick
// (10 ms) late and never early. The loop sleeps until the next occupied slot: an idle process does
// not wake. A Timer belongs to one Wheel, disarms itself when destroyed, and must be used on the
// loop's thread only. on_deadline may arm, disarm or destroy any timer, itself included.
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>

#include "base/clock.h"

namespace nl::http {

class Wheel;

class Timer {
 public:
  Timer() = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  virtual ~Timer();

  bool armed() const { return wheel_ != nullptr; }
  void disarm();

 protected:
  virtual void on_deadline() = 0;

 private:
  friend class Wheel;
  Wheel* wheel_ = nullptr;
  Timer** link_ = nullptr;  // the pointer that points at this timer
  Timer* next_ = nullptr;
  std::uint64_t tick_ = 0;
};

class Wheel {
 public:
  static constexpr std::chrono::milliseconds kTick{10};
  static constexpr std::size_t kSlots = 1024;

  Wheel(boost::asio::io_context& io, const Clock& clock);
  ~Wheel();
  Wheel(const Wheel&) = delete;
  Wheel& operator=(const Wheel&) = delete;

  // Fires `timer` once at `at` or up to a tick later; replaces an earlier arming. Instant::max()
  // only disarms it.
  void arm(Timer& timer, Instant at);
  // Fires all that is due. The loop does so by itself; tests that move a ManualClock call it.
  void fire_due();
  const Clock& clock() const { return clock_; }

 private:
  friend class Timer;
  void link(Timer& timer, Timer*& head);
  void unlink(Timer& timer);
  void collect_due(std::uint64_t now_tick);
  std::uint64_t next_tick() const;
  void sleep_until(std::uint64_t tick);

  boost::asio::steady_timer sleeper_;
  const Clock& clock_;
  std::array<Timer*, kSlots> slots_{};  // first timer of each slot's list
  Timer* due_ = nullptr;                // taken out of the slots, not fired yet
  std::uint64_t done_tick_ = 0;         // every tick up to this one has been fired
  std::uint64_t sleeping_tick_ = 0;     // what the sleeper waits for
  std::size_t armed_count_ = 0;
};

}  // namespace nl::http
