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

std::unexpected<Error> not_ready(const EngineState& state) {
  switch (state.condition) {
    case Condition::absent:
      return fail(ErrorCode::not_found, "local engine: " + state.reason);
    case Condition::failed:
      return fail(ErrorCode::exhausted, "local engine: " + state.reason);
    case Condition::stopped:
    case Condition::stopping:
      return fail(ErrorCode::exhausted, "local engine: stopped");
    case Condition::looking:
    case Condition::starting:
    case Condition::ready:
      return fail(ErrorCode::timeout, fmt::format("local engine: {}", name(state.condition)));
  }
  return fail(ErrorCode::internal, "local engine");
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
    if (hopeless || (asked && caller.now() >= until)) co_return not_ready(state);
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
