#include "engine/supervisor_core.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <filesystem>
#include <utility>

#include "base/log.h"

namespace nl::engine {

namespace asio = http::asio;

namespace {

constexpr std::size_t kReplyBytesMax = 1 << 20;
constexpr auto kReadyPollMost = std::chrono::milliseconds(500);

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

struct Launched {
  Result<Spawned> spawned = fail(ErrorCode::internal, "not started");
  std::string socket;
};

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
      worker_(1) {}

asio::awaitable<void> Supervisor::Core::run(std::shared_ptr<Core> core) {
  while (!core->closing_) co_await core->turn();
}

// --- Requests ---

void Supervisor::Core::ask() {
  if (halted_ || closing_) return;
  if (policy_.given_up() && !policy_.allow_one_more(loop_.now())) return;
  asked_ = true;
  wake_.notify();
}

void Supervisor::Core::start() {
  halted_ = false;
  asked_ = true;
  policy_.asked();
  state_.halted = false;
  board_->write(state_);
  wake_.notify();
}

void Supervisor::Core::halt() {
  halted_ = true;
  asked_ = false;
  wake_.notify();
}

void Supervisor::Core::use(Wanted wanted) {
  next_ = std::move(wanted);
  policy_.asked();
  wake_.notify();
}

void Supervisor::Core::report_stall() {
  if (child_ == nullptr) return;
  stall_reported_ = true;
  wake_.notify();
}

void Supervisor::Core::close() {
  closing_ = true;
  if (child_ != nullptr) child_->kill();
  preparation_.stop();
  wake_.notify();
  worker_.join();
  preparation_.clean_up();
}

// --- What others see ---

void Supervisor::Core::show(Condition condition, std::string reason) {
  const Condition before = state_.condition;
  const bool news = before != condition || state_.reason != reason;
  state_.condition = condition;
  state_.reason = std::move(reason);
  state_.halted = halted_;
  state_.trying = condition == Condition::failed && !policy_.given_up();
  state_.pid = child_ == nullptr ? -1 : child_->pid();
  if (child_ == nullptr) state_.resident_bytes = 0;
  if (condition == Condition::ready && before != condition) state_.ready_since = loop_.now();
  board_->write(state_);
  if (!news) return;
  const char* const colon = state_.reason.empty() ? "" : ": ";
  if (condition == Condition::failed) {
    log::warn("engine {}{}{}", name(condition), colon, state_.reason);
  } else {
    log::info("engine {}{}{}", name(condition), colon, state_.reason);
  }
}

void Supervisor::Core::describe(const Prepared& prepared) {
  state_.program = prepared.plan.program;
  state_.program_version = prepared.program_version;
  state_.model_path = prepared.plan.model;
  state_.model_name = prepared.facts.name;
  if (state_.model_name.empty()) {
    state_.model_name = std::filesystem::path(prepared.plan.model).stem().string();
  }
  state_.is_ember = prepared.facts.is_ember;
  state_.takes_images = !prepared.plan.projector.empty();
  state_.context_tokens = prepared.plan.context_tokens;
  state_.slots = prepared.plan.slots;
  state_.note = prepared.plan.note;
}

void Supervisor::Core::note_failure(std::string reason) {
  policy_.failed(loop_.now());
  last_reason_ = std::move(reason);
  if (policy_.given_up()) {
    last_reason_ = fmt::format("given up after {} failed starts: {}", RestartPolicy::kFailuresMax,
                               last_reason_);
    asked_ = start_ == Start::eager;
  }
  show(Condition::failed, last_reason_);
}

// --- The life ---

asio::awaitable<void> Supervisor::Core::pause(Instant until) {
  http::Alarm alarm(wake_);
  loop_.wheel().arm(alarm, until);
  co_await wake_.wait();
}

template <typename Result, typename Work>
asio::awaitable<Result> Supervisor::Core::off_loop(Work work) {
  struct Errand {
    explicit Errand(http::Loop& loop) : done(loop) {}
    std::optional<Result> result;
    http::Wakeup done;
  };
  // Shared by the worker and this coroutine, which may be gone before the work is done.
  auto errand = std::make_shared<Errand>(loop_);
  asio::post(worker_, [errand, work, &loop = loop_]() mutable {
    auto result = std::make_shared<Result>(work());
    asio::post(loop.io(), [errand, result] {
      errand->result = std::move(*result);
      errand->done.notify();
    });
  });
  co_await errand->done.wait();
  co_return std::move(*errand->result);
}

asio::awaitable<void> Supervisor::Core::turn() {
  if (next_) wanted_ = *std::exchange(next_, std::nullopt);
  if (halted_) {
    show(Condition::stopped, "");
    co_await pause(Instant::max());
    co_return;
  }
  const auto look = [this, wanted = wanted_] { return preparation_.look(wanted); };
  Prepared prepared = co_await off_loop<Prepared>(look);
  if (closing_ || halted_ || next_) co_return;
  if (prepared.lack != Lack::none) {
    state_.model_path = wanted_.model;
    show(Condition::absent, prepared.reason);
    co_await pause(loop_.now() + limits_.look_every);
    co_return;
  }
  describe(prepared);
  if (policy_.given_up()) {
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
  const auto launch = [this, plan = prepared.plan] {
    Launched launched;
    launched.spawned = preparation_.start(plan);
    launched.socket = preparation_.socket();
    return launched;
  };
  const Launched launched = co_await off_loop<Launched>(launch);
  if (!launched.spawned) {
    note_failure(launched.spawned.error().message);
    co_return;
  }
  Child child(loop_, *launched.spawned, wake_);
  if (closing_) co_return;
  child_ = &child;
  state_.restarts = starts_++;
  state_.network = child.network();
  state_.endpoint.scheme = http::Scheme::unix_socket;
  state_.endpoint.host = launched.socket;
  state_.endpoint.port = 0;
  stall_reported_ = false;
  client_.drop_pool();
  show(Condition::starting, "");

  Ending ending = co_await await_ready(child);
  if (ending.kind == Ending::Kind::ready) {
    policy_.ready();
    show(Condition::ready, "");
    ending = co_await guard(child);
  }
  if (ending.kind != Ending::Kind::failed) show(Condition::stopping, "");
  co_await end(child, ending.kind);
  child_ = nullptr;
  if (ending.kind == Ending::Kind::failed) note_failure(std::move(ending.reason));
}

std::optional<Supervisor::Core::Ending> Supervisor::Core::interrupted(const Child& child) const {
  if (closing_ || halted_) return Ending(Ending::Kind::halted, "");
  if (child.ended()) return Ending(Ending::Kind::failed, child.reason());
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

asio::awaitable<std::optional<Supervisor::Core::Ending>> Supervisor::Core::check(Child& child) {
  std::optional<Ending> ending;
  const Reply health = co_await get("/health", limits_.health_within);
  misses_ = health.answered && health.status == 200 ? 0 : misses_ + 1;
  if (misses_ >= limits_.misses_max) {
    ending.emplace(Ending::Kind::failed,
                   fmt::format("does not answer: {} times no health in {:.1f} s", misses_,
                               seconds(limits_.health_within)));
    co_return ending;
  }
  if (misses_ > 0) co_return ending;
  const Reply slots = co_await get("/slots", limits_.health_within);
  if (slots.answered) {
    // A server without that report has nothing to be watched by.
    progress_.report(slots.status == 200 ? slots.body : "", loop_.now());
  }
  if (progress_.hangs(loop_.now())) {
    ending.emplace(Ending::Kind::failed, "hangs: no token and no progress in reading");
    co_return ending;
  }
  const std::uint64_t resident = child.resident_bytes();
  if (resident != state_.resident_bytes) {
    state_.resident_bytes = resident;
    board_->write(state_);
  }
  co_return ending;
}

asio::awaitable<std::optional<Supervisor::Core::Ending>> Supervisor::Core::check_stall() {
  std::optional<Ending> ending;
  const Instant until = loop_.now() + limits_.stall_check;
  const Reply first = co_await get("/slots", limits_.stall_check);
  if (first.answered) progress_.report(first.body, loop_.now());
  const Instant seen = loop_.now();
  while (loop_.now() < until && !closing_ && !halted_ && child_ != nullptr && !child_->ended()) {
    co_await pause(until);
  }
  const Reply second = co_await get("/slots", limits_.stall_check);
  if (second.answered) progress_.report(second.body, loop_.now());
  if (progress_.moved_since(seen)) co_return ending;
  // Between two batches an engine at work answers for its health alone: then silence is no proof,
  // and the watchdog's own patience decides.
  const Reply health = co_await get("/health", limits_.health_within);
  if (second.answered || !health.answered) {
    ending.emplace(Ending::Kind::failed, "hangs: a request waited for a token in vain");
  }
  co_return ending;
}

asio::awaitable<std::optional<Supervisor::Core::Ending>> Supervisor::Core::consider_change() {
  std::optional<Ending> ending;
  Wanted wanted = *std::exchange(next_, std::nullopt);
  const auto look = [this, wanted] { return preparation_.look(wanted); };
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

asio::awaitable<Supervisor::Core::Reply> Supervisor::Core::get(std::string path, Duration within) {
  Reply reply;
  const Instant until = loop_.now() + within;
  // The server keeps a thread for every kept connection.
  const http::Outgoing outgoing{"GET", path, "connection: close\r\n", ""};
  const http::Endpoint endpoint = state_.endpoint;
  http::Cancel cancel;
  auto call = co_await client_.send(endpoint, outgoing, cancel, until);
  if (!call) co_return reply;
  while (!(*call)->complete()) {
    const auto piece = co_await (*call)->read(until);
    if (!piece || reply.body.size() + piece->size() > kReplyBytesMax) co_return reply;
    reply.body += *piece;
  }
  reply.answered = true;
  reply.status = (*call)->head().status;
  co_return reply;
}

}  // namespace nl::engine
