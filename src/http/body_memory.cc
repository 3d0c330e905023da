#include "http/body_memory.h"

#include <cassert>

namespace nl::http {

bool BodyMemory::try_take(std::size_t bytes) {
  if (bytes > bytes_max_ - used_) return false;
  used_ += bytes;
  return true;
}

asio::awaitable<Granted> BodyMemory::take(std::size_t bytes, Instant until) {
  Wakeup wakeup(loop_);
  Alarm alarm(wakeup);
  loop_.wheel().arm(alarm, until);
  waiters_.push_back(&wakeup);
  bool granted = false;
  while (alarm.armed() && !granted) {
    co_await wakeup.wait();
    granted = try_take(bytes);
  }
  std::erase(waiters_, &wakeup);
  co_return granted ? Granted::yes : Granted::no;
}

void BodyMemory::give_back(std::size_t bytes) {
  assert(bytes <= used_);
  used_ -= bytes;
  if (bytes == 0) return;
  for (Wakeup* const waiter : waiters_) waiter->notify();
}

}  // namespace nl::http
