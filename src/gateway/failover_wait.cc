// Whether a request that nobody could answer waits, and for whom: a part of Failover.
#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/random.h"
#include "gateway/failover.h"

namespace nl::gateway {
namespace {

constexpr Duration kBackoffMax = std::chrono::seconds(5);

double jitter() {
  return static_cast<double>(random_u64() % 1000) / 1000.0;
}

}  // namespace

void Failover::may_pass(const router::Candidate& candidate) {
  std::string target = target_name(candidate.target);
  if (std::ranges::find(passing_, target) == passing_.end()) passing_.push_back(std::move(target));
}

// Whoever has said since that it cannot do this is not waited for.
bool Failover::is_any_passing() const {
  return std::ranges::any_of(passing_, [this](const std::string& target) {
    return std::ranges::find(without_, target) == without_.end();
  });
}

// A prompt that is too long helps itself best by being told at once: clients compact. Any other
// inability is the last word only where no target is merely out for a while.
bool Failover::must_tell(const router::Plan& plan) const {
  if (!telling_) return false;
  const bool back_in_time =
      plan.held_until && *plan.held_until < turn_.started + parts_.options.wait;
  return window_above_ || !(is_any_passing() || back_in_time);
}

http::asio::awaitable<bool> Failover::wait_for_target(const router::Plan& plan) {
  const http::Loop& loop = turn_.exchange.loop();
  const Instant give_up = turn_.started + parts_.options.wait;
  if (turn_.direct || must_tell(plan)) co_return false;
  const bool passing = is_any_passing();
  if (!passing && !plan.held_until) co_return false;
  // What was tried in vain for good, or not at all, leaves only what health holds back.
  const bool held_alone = plan.held_until && (plan.candidates.empty() || !passing);
  if (held_alone && *plan.held_until > give_up) co_return false;
  const Instant wake = std::max(
      loop.now() + backoff_ / 2 + std::chrono::duration_cast<Duration>(backoff_ * jitter()),
      held_alone ? *plan.held_until : Instant());
  if (wake >= give_up) co_return false;
  const std::optional<WaitingRoom::Place> place = parts_.waiting.enter();
  if (!place) co_return false;
  backoff_ = std::min(backoff_ * 2, kBackoffMax);
  http::asio::steady_timer timer(turn_.exchange.loop().io());
  while (loop.now() < wake && !turn_.client_gone) {
    timer.expires_at(std::min(wake, loop.now() + parts_.options.watch));
    co_await timer.async_wait(http::asio::use_awaitable);
  }
  co_return !turn_.client_gone;
}

}  // namespace nl::gateway
