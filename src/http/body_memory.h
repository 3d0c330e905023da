// BodyMemory: the budget that all request bodies of a server share.
//
// A body takes memory before it grows; when there is none its reading pauses until others give back
// or its time is up. First come, first served. Loop thread.
#pragma once

#include <cstddef>
#include <vector>

#include "http/loop.h"
#include "http/wakeup.h"

namespace nl::http {

enum class Granted : std::uint8_t { yes, no };

class BodyMemory {
 public:
  BodyMemory(Loop& loop, std::size_t bytes_max) : loop_(loop), bytes_max_(bytes_max) {}

  bool try_take(std::size_t bytes);
  asio::awaitable<Granted> take(std::size_t bytes, Instant until);
  void give_back(std::size_t bytes);
  std::size_t used() const { return used_; }

 private:
  Loop& loop_;
  std::size_t bytes_max_;
  std::size_t used_ = 0;
  std::vector<Wakeup*> waiters_;
};

}  // namespace nl::http
