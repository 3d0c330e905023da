// Race: connects to the first of several addresses that answers.
//
// Begins with the first address and adds the next one after `second_address`, or at once when one
// fails; the first connection wins and the others are closed. The whole race has one deadline. The
// waiting coroutine and the pending connects own it together. Loop thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "http/resolver.h"
#include "http/transport.h"
#include "http/wakeup.h"

namespace nl::http {

struct RaceTiming {
  Duration second_address{};
  Instant until{};
};

class Race {
 public:
  Race(Loop& loop, std::vector<Address> addresses, std::uint16_t port);
  ~Race();
  Race(const Race&) = delete;
  Race& operator=(const Race&) = delete;

  // Errors: connect, cancelled.
  static asio::awaitable<Result<Transport::Socket>> run(std::shared_ptr<Race> race,
                                                        RaceTiming timing);
  // Ends run() with `cancelled`.
  void cancel();

 private:
  class NextAddress;
  void start_next(const std::shared_ptr<Race>& self);
  void connected(const std::shared_ptr<Race>& self, std::size_t index,
                 const boost::system::error_code& failure);
  bool over() const { return winner_ >= 0 || cancelled_ || failed_; }
  void close_all_but(int winner);

  Loop& loop_;
  std::vector<Address> addresses_;
  std::uint16_t port_;
  Wakeup wakeup_;
  std::unique_ptr<NextAddress> next_address_;
  Duration second_address_{};
  std::vector<Transport::Socket> sockets_;
  std::size_t pending_ = 0;
  int winner_ = -1;
  bool cancelled_ = false;
  bool failed_ = false;
  std::string last_failure_;
};

}  // namespace nl::http
