// Wakeup: lets one coroutine wait for something that other code of the same loop announces.
//
// For the rare paths (a lookup, a dial, body memory). wait() returns at once when notify() came
// first; each notify() ends at most one wait(). Must outlive its waiter. Loop thread.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/steady_timer.hpp>

#include "http/loop.h"

namespace nl::http {

class Wakeup {
 public:
  explicit Wakeup(Loop& loop) : timer_(loop.io(), asio::steady_timer::time_point::max()) {}

  asio::awaitable<void> wait() {
    if (!notified_) {
      waiting_ = true;
      co_await timer_.async_wait(asio::as_tuple(asio::deferred));
      waiting_ = false;
    }
    notified_ = false;
  }

  void notify() {
    notified_ = true;
    if (waiting_) timer_.cancel();
  }

 private:
  asio::steady_timer timer_;
  bool waiting_ = false;
  bool notified_ = false;
};

// A deadline that announces itself to a Wakeup.
class Alarm final : public Timer {
 public:
  explicit Alarm(Wakeup& wakeup) : wakeup_(wakeup) {}

 private:
  void on_deadline() override { wakeup_.notify(); }

  Wakeup& wakeup_;
};

}  // namespace nl::http
