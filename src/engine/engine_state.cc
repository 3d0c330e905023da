#include "engine/engine_state.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

namespace nl::engine {

const char* name(Condition condition) {
  switch (condition) {
    case Condition::looking:
      return "looking";
    case Condition::absent:
      return "absent";
    case Condition::stopped:
      return "stopped";
    case Condition::starting:
      return "starting";
    case Condition::ready:
      return "ready";
    case Condition::failed:
      return "failed";
    case Condition::stopping:
      return "stopping";
  }
  return "failed";
}

EngineState EngineBoard::read() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

std::optional<http::Endpoint> EngineBoard::endpoint() const {
  const std::lock_guard lock(mutex_);
  if (state_.condition != Condition::ready) return std::nullopt;
  return state_.endpoint;
}

std::optional<Senses> EngineBoard::senses() const {
  const std::lock_guard lock(mutex_);
  return state_.senses;
}

void EngineBoard::write(EngineState state) {
  const std::lock_guard lock(mutex_);
  state_ = std::move(state);
  for (const auto& bell : bells_) {
    http::asio::post(bell->loop.io(), [bell] { bell->wakeup.notify(); });
  }
}

EngineBoard::Watcher::Watcher(std::shared_ptr<EngineBoard> board, http::Loop& loop)
    : board_(std::move(board)), bell_(std::make_shared<Bell>(loop)) {
  const std::lock_guard lock(board_->mutex_);
  board_->bells_.push_back(bell_);
}

EngineBoard::Watcher::~Watcher() {
  const std::lock_guard lock(board_->mutex_);
  std::erase(board_->bells_, bell_);
}

http::asio::awaitable<void> EngineBoard::Watcher::wait(Instant until) {
  http::Alarm alarm(bell_->wakeup);
  bell_->loop.wheel().arm(alarm, until);
  co_await bell_->wakeup.wait();
}

}  // namespace nl::engine
