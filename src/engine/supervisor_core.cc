#include "engine/supervisor_core.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace nl::engine {

namespace asio = http::asio;

namespace {

constexpr auto kReadyPollMost = std::chrono::milliseconds(500);

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

Supervisor::Core::Core(http::Loop& loop, Wanted wanted, SupervisorOptions options)
    : loop_(loop),
      limits_(options.limits),
      start_(options.start),
      wanted_(std::move(wanted)),
      preparation_(std::move(options.preparation)),
      client_(loop, http::ClientOptions()),
      wake_(loop),
      policy_(limits_.restart_first, limits_.restart_most),
      progress_(limits_.progress),
      board_(std::make_shared<EngineBoard>()),
      asked_(options.start == Start::eager),
      adopted_(std::move(options.adopt)),
      worker_(1) {
  if (!adopted_) return;
  starts_ = adopted_->starts;
  preparation_.take_folder(SocketFolder::adopt(adopted_->folder, adopted_->folder_lock));
}

asio::awaitable<void> Supervisor::Core::run(std::shared_ptr<Core> core) {
  while (!core->closing_) co_await core->turn();
}

asio::awaitable<void> Supervisor::Core::pause(Instant until) {
  http::Alarm alarm(wake_);
  loop_.wheel().arm(alarm, until);
  co_await wake_.wait();
}

asio::awaitable<void> Supervisor::Core::turn() {
  if (next_) wanted_ = *std::exchange(next_, std::nullopt);
  if (handing_over_) {
    handed_over_ = true;
    board_->write(state_);
    co_await pause(Instant::max());
    co_return;
  }
  if (halted_) {
    if (adopted_) co_await dismiss();
    show(Condition::stopped, "");
    co_await pause(Instant::max());
    co_return;
  }
  std::optional<FreeMemory> planned_for;
  if (adopted_) planned_for = adopted_->free;
  const auto look = [this, wanted = wanted_, planned_for] {
    return planned_for ? preparation_.look_again(wanted, *planned_for) : preparation_.look(wanted);
  };
  Prepared prepared = co_await off_loop<Prepared>(look);
  if (closing_ || halted_ || next_ || handing_over_) co_return;
  if (adopted_ && prepared.fingerprint != adopted_->fingerprint) {
    log::info("engine: what runs is not what is wanted now; it is ended");
    co_await dismiss();
    co_return;
  }
  if (prepared.lack != Lack::none) {
    state_.model_path = wanted_.model;
    show(Condition::absent, prepared.reason);
    co_await pause(loop_.now() + limits_.look_every);
    co_return;
  }
  describe(prepared);
  if (adopted_) {
    co_await live(std::move(prepared));
  } else if (policy_.given_up()) {
    show(Condition::failed, last_reason_);
    co_await pause(Instant::max());
  } else if (!asked_) {
    show(Condition::stopped, "");
    co_await pause(Instant::max());
  } else if (loop_.now() < policy_.again_at()) {
    show(Condition::failed, last_reason_);
    co_await pause(policy_.again_at());
  } else {
    co_await live(std::move(prepared));
  }
}

asio::awaitable<void> Supervisor::Core::live(Prepared prepared) {
  show(Condition::starting, "");
  running_ = HandedChild();
  running_.fingerprint = prepared.fingerprint;
  running_.free = prepared.free;
  // One that has shown what it can is not asked again.
  running_.verified = !prepared.verify || (adopted_ && adopted_->verified);
  const Result<Spawned> spawned = co_await obtain(prepared);
  if (!spawned) {
    note_failure(spawned.error().message);
    co_return;
  }
  Child child(loop_, *spawned, wake_);
  if (closing_) co_return;
  child_ = &child;
  state_.restarts = starts_ - 1;
  state_.network = child.network();
  state_.endpoint.scheme = http::Scheme::unix_socket;
  state_.endpoint.host = preparation_.socket();
  state_.endpoint.port = 0;
  state_.endpoint.listener_group = child.pid();
  stall_reported_ = false;
  client_.drop_pool();
  show(Condition::starting, "");

  Ending ending = co_await await_ready(child);
  if (ending.kind == Ending::Kind::ready) ending = co_await verify(child, prepared);
  if (ending.kind == Ending::Kind::ready) {
    policy_.ready(loop_.now());
    show(Condition::ready, "");
    ending = co_await guard(child);
  }
  if (ending.kind == Ending::Kind::handed_over) {
    give_away(child);
    co_return;
  }
  ending = co_await consider_less(child, prepared, ending);
  if (ending.kind != Ending::Kind::failed) show(Condition::stopping, "");
  if (ending.kind == Ending::Kind::replaced) co_await let_finish(child);
  co_await end(child, ending.kind);
  child_ = nullptr;
  if (ending.kind == Ending::Kind::failed) note_failure(std::move(ending.reason));
}

asio::awaitable<Result<Spawned>> Supervisor::Core::obtain(const Prepared& prepared) {
  if (adopted_) {
    const HandedChild handed = *std::exchange(adopted_, std::nullopt);
    co_return adopt(handed.pid, handed.output, handed.network);
  }
  const auto arrange = [this, plan = prepared.plan] { return preparation_.arrange(plan); };
  const auto options = co_await off_loop<Result<SpawnOptions>>(arrange);
  if (!options) co_return std::unexpected(options.error());
  if (closing_) co_return fail(ErrorCode::cancelled, "closed");
  const auto begun = begin_spawn(*options);
  if (!begun) co_return std::unexpected(begun.error());
  begun_ = begun->spawned.pid;
  const auto finish = [begun = *begun] { return finish_spawn(begun); };
  auto spawned = co_await off_loop<Result<Spawned>>(finish);
  begun_ = -1;
  if (spawned) ++starts_;
  co_return spawned;
}

asio::awaitable<void> Supervisor::Core::dismiss() {
  const HandedChild handed = *std::exchange(adopted_, std::nullopt);
  const auto spawned = adopt(handed.pid, handed.output, handed.network);
  if (!spawned) co_return;
  Child child(loop_, *spawned, wake_);
  child_ = &child;
  show(Condition::stopping, "");
  co_await end(child, Ending::Kind::replaced);
  child_ = nullptr;
}

void Supervisor::Core::give_away(Child& child) {
  const Spawned spawned = child.release();
  child_ = nullptr;
  if (spawned.pid_descriptor >= 0) ::close(spawned.pid_descriptor);
  HandedChild& handed = handed_.emplace(running_);
  handed.pid = spawned.pid;
  handed.output = spawned.output;
  handed.network = spawned.network;
  handed.starts = starts_;
  const std::unique_ptr<SocketFolder> folder = preparation_.give_folder();
  handed.folder = folder->path();
  handed.folder_lock = folder->release();
}

std::optional<Supervisor::Core::Ending> Supervisor::Core::interrupted(const Child& child) const {
  if (closing_ || halted_) return Ending(Ending::Kind::halted, "");
  if (child.ended()) return Ending(Ending::Kind::failed, child.reason());
  if (handing_over_) return Ending(Ending::Kind::handed_over, "");
  return std::nullopt;
}

asio::awaitable<Supervisor::Core::Ending> Supervisor::Core::await_ready(Child& child) {
  const Instant until = loop_.now() + limits_.start_within;
  Duration poll = limits_.ready_poll;
  for (;;) {
    if (auto ending = interrupted(child)) co_return std::move(*ending);
    if (next_) co_return Ending(Ending::Kind::replaced, "");
    const Reply reply = co_await get("/health", limits_.health_within);
    if (auto ending = interrupted(child)) co_return std::move(*ending);
    if (reply.answered && reply.status == 200) co_return Ending(Ending::Kind::ready, "");
    if (loop_.now() >= until) {
      co_return Ending(Ending::Kind::failed,
                       fmt::format("not ready after {:.0f} s", seconds(limits_.start_within)));
    }
    co_await pause(loop_.now() + poll);
    poll = std::min<Duration>(poll * 3 / 2, std::max<Duration>(kReadyPollMost, limits_.ready_poll));
  }
}

asio::awaitable<Supervisor::Core::Ending> Supervisor::Core::guard(Child& child) {
  misses_ = 0;
  progress_.begin(loop_.now());
  Instant next_look = loop_.now() + limits_.health_every;
  for (;;) {
    if (auto ending = interrupted(child)) co_return std::move(*ending);
    if (next_) {
      auto ending = co_await consider_change();
      if (ending) co_return std::move(*ending);
    } else if (std::exchange(stall_reported_, false)) {
      auto ending = co_await check_stall();
      if (ending && !child.ended()) co_return std::move(*ending);
    } else if (loop_.now() >= next_look) {
      auto ending = co_await check(child);
      if (ending && !child.ended()) co_return std::move(*ending);
      // After a miss the next look follows soon: a dead engine must not be believed in for long.
      next_look = loop_.now() + (misses_ > 0 ? limits_.health_every / 5 : limits_.health_every);
    } else {
      co_await pause(next_look);
    }
  }
}

asio::awaitable<std::optional<Supervisor::Core::Ending>> Supervisor::Core::consider_change() {
  std::optional<Ending> ending;
  Wanted wanted = *std::exchange(next_, std::nullopt);
  const std::uint64_t freed = child_ == nullptr ? 0 : child_->resident_bytes();
  const auto look = [this, wanted, freed] { return preparation_.look(wanted, freed); };
  const Prepared prepared = co_await off_loop<Prepared>(look);
  if (prepared.lack == Lack::none) {
    wanted_ = std::move(wanted);
    asked_ = true;
    ending.emplace(Ending::Kind::replaced, "");
    co_return ending;
  }
  state_.note = "kept the running model: " + prepared.reason;
  log::warn("engine {}", state_.note);
  board_->write(state_);
  co_return ending;
}

asio::awaitable<void> Supervisor::Core::end(Child& child, Ending::Kind kind) {
  // One that hangs does not deserve a grace; one that is closed has no time for it.
  if (kind == Ending::Kind::failed || closing_) {
    child.kill();
  } else {
    child.ask_to_end();
  }
  const Instant grace = loop_.now() + limits_.stop_grace;
  while (!child.ended() && !closing_ && loop_.now() < grace) co_await pause(grace);
  child.kill();
  const Instant last = loop_.now() + limits_.stop_grace;
  while (!child.ended() && loop_.now() < last) co_await pause(last);
}

}  // namespace nl::engine
