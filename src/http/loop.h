// Loop: what one single-threaded event loop owns: the io_context, its wheel and its clock.
//
// Everything in http and gateway runs on one Loop's thread and takes it by reference; a Loop
// outlives all of it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "base/clock.h"
#include "http/send_queue.h"
#include "http/wheel.h"

namespace nl::http {

namespace asio = boost::asio;

class Loop {
 public:
  // Only the loop's own thread touches its sockets and timers; any thread may post to io().
  explicit Loop(const Clock& clock)
      : io_(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO), wheel_(io_, clock), clock_(clock) {}
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  asio::io_context& io() { return io_; }
  Wheel& wheel() { return wheel_; }
  const Clock& clock() const { return clock_; }
  SendQueue& sends() { return sends_; }
  Instant now() const { return clock_.now(); }

 private:
  asio::io_context io_;
  SendQueue sends_{io_};
  Wheel wheel_;
  const Clock& clock_;
};

}  // namespace nl::http
