#include "engine/supervisor.h"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <exception>
#include <utility>

#include "base/log.h"
#include "engine/supervisor_core.h"

namespace nl::engine {

namespace asio = http::asio;

namespace {

std::string said_by(const EngineState& state) {
  const bool has_reason =
      state.condition == Condition::absent || state.condition == Condition::failed;
  return fmt::format("local engine: {}", has_reason ? state.reason : name(state.condition));
}

}  // namespace

Supervisor::Supervisor(http::Loop& loop, Wanted wanted, SupervisorOptions options)
    : core_(std::make_shared<Core>(loop, std::move(wanted), std::move(options))) {
  asio::co_spawn(loop.io(), Core::run(core_), [](const std::exception_ptr& thrown) {
    if (thrown) log::error("engine: the supervision ended by an exception");
  });
}

Supervisor::~Supervisor() {
  core_->close();
}

EngineState Supervisor::snapshot() const {
  return core_->board()->read();
}

std::optional<Senses> Supervisor::senses() const {
  return core_->board()->senses();
}

void Supervisor::start() {
  asio::post(core_->loop().io(), [core = core_] { core->start(); });
}

void Supervisor::use(Wanted wanted) {
  asio::post(core_->loop().io(), [core = core_, wanted = std::move(wanted)] { core->use(wanted); });
}

void Supervisor::report_stall() {
  asio::post(core_->loop().io(), [core = core_] { core->report_stall(); });
}

void Supervisor::report_answer() {
  asio::post(core_->loop().io(), [core = core_] { core->report_answer(); });
}

asio::awaitable<Result<http::Endpoint>> Supervisor::ready(http::Loop& caller, Instant until) {
  // Only the board outlives a wait here: a caller that is cut off with its loop must not be the
  // last to hold what belongs to the supervisor's loop.
  const std::shared_ptr<EngineBoard> board = core_->board();
  if (auto endpoint = board->endpoint()) co_return std::move(*endpoint);
  EngineBoard::Watcher watcher(board, caller);
  const std::weak_ptr<Core> asked_core = core_;
  asio::post(core_->loop().io(), [asked_core] {
    if (const std::shared_ptr<Core> core = asked_core.lock()) core->ask();
  });
  for (bool asked = false;; asked = true) {
    const EngineState state = board->read();
    if (state.condition == Condition::ready) co_return state.endpoint;
    const bool hopeless = state.condition == Condition::absent ||
                          (asked && state.condition == Condition::failed && !state.trying) ||
                          (state.condition == Condition::stopped && state.halted);
    if (hopeless) {
      const bool absent = state.condition == Condition::absent;
      co_return fail(absent ? ErrorCode::not_found : ErrorCode::exhausted, said_by(state));
    }
    // It is started anew in a moment: that is no word against it, so whoever waits may wait on.
    if (asked && caller.now() >= until) co_return fail(ErrorCode::timeout, said_by(state));
    co_await watcher.wait(until);
  }
}

asio::awaitable<void> Supervisor::stop() {
  const std::shared_ptr<Core> core = core_;
  http::Loop& loop = core->loop();
  EngineBoard::Watcher watcher(core->board(), loop);
  core->halt();
  const Instant until = loop.now() + 3 * core->limits().stop_grace;
  while (loop.now() < until) {
    const EngineState state = core->board()->read();
    if (state.condition == Condition::stopped && state.halted) co_return;
    co_await watcher.wait(until);
  }
}

asio::awaitable<std::optional<HandedChild>> Supervisor::hand_over() {
  const std::shared_ptr<Core> core = core_;
  http::Loop& loop = core->loop();
  EngineBoard::Watcher watcher(core->board(), loop);
  core->begin_hand_over();
  const Instant until = loop.now() + 3 * core->limits().stop_grace;
  while (!core->has_handed_over() && loop.now() < until) co_await watcher.wait(until);
  co_return core->take_handed();
}

}  // namespace nl::engine
