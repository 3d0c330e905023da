#include "standby/standby_core.h"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <cmath>

#include "base/log.h"

namespace nl::standby {
namespace {

namespace asio = boost::asio;

constexpr Duration kLookEvery = std::chrono::seconds(1);
constexpr Duration kSurroundingsEvery = std::chrono::seconds(5);
constexpr Duration kNothingToDo = std::chrono::seconds(30);
// A closed connection is noticed after the batch at hand; slow machines take seconds for one.
constexpr Duration kLetGoWithin = std::chrono::seconds(10);
constexpr double kMinute = 60;

provider::Setting with_engine(provider::Setting setting, provider::Readiness* engine) {
  setting.engine = engine;
  return setting;
}

}  // namespace

class Standby::Core::WhereItIs final : public provider::Readiness {
 public:
  explicit WhereItIs(engine::Supervisor& engine) : engine_(engine) {}

  http::asio::awaitable<Result<http::Endpoint>> ready(http::Cancel&, Instant) override {
    engine::EngineState state = engine_.snapshot();
    if (state.condition != engine::Condition::ready) {
      co_return fail(ErrorCode::not_found, "the engine does not run");
    }
    co_return std::move(state.endpoint);
  }
  void report_stall() override { engine_.report_stall(); }

 private:
  engine::Supervisor& engine_;
};

Standby::Core::Core(const Clock& clock, StandbyOptions options, provider::Setting target,
                    engine::Supervisor* engine, std::unique_ptr<Surroundings> surroundings)
    : options_(options),
      engine_(engine),
      surroundings_(std::move(surroundings)),
      name_(target.name),
      loop_(clock),
      client_(loop_, http::ClientOptions()),
      where_(engine == nullptr ? nullptr : std::make_unique<WhereItIs>(*engine)),
      provider_(client_, with_engine(std::move(target), where_.get())),
      book_(options.book),
      wake_(loop_) {
  publish();
}

Standby::Core::~Core() = default;

void Standby::Core::begin() {
  thread_ = std::thread([this]() {
    const auto work = asio::make_work_guard(loop_.io());
    asio::co_spawn(loop_.io(), run(), [this](const std::exception_ptr& thrown) {
      if (thrown) log::error("standby: ended by an exception");
      reading_ = false;
      open_gates();
      loop_.io().stop();
    });
    loop_.io().run();
  });
}

void Standby::Core::stop() {
  if (!thread_.joinable()) return;
  asio::post(loop_.io(), [this]() {
    stopping_ = true;
    if (cancel_ != nullptr) cancel_->fire();
    wake_.notify();
  });
  thread_.join();
  // Whoever came meanwhile must not wait for a gate that nobody opens.
  loop_.io().restart();
  loop_.io().poll();
}

StandbyState Standby::Core::snapshot() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return state_;
}

bool Standby::Core::announce_local(std::uint64_t conversation) {
  local_.fetch_add(1);
  const bool another = resident_.exchange(conversation) != conversation;
  if (another && several_.load() && engine_ != nullptr) {
    switching_ = true;
    return true;
  }
  return reading_.load();
}

void Standby::Core::retire_local() {
  local_.fetch_sub(1);
}

void Standby::Core::turn_began(SeenTurn turn) {
  book_.turn_began(std::move(turn), loop_.now());
  consider();
}

void Standby::Core::turn_answered(const std::string& turn_id, chat::KeptAnswer answer) {
  book_.turn_answered(turn_id, std::move(answer), loop_.now());
  consider();
}

void Standby::Core::local_answered(std::int64_t tokens, std::int64_t cached) {
  const std::lock_guard<std::mutex> lock(mutex_);
  state_.last_local_tokens = tokens;
  state_.last_local_cached = cached;
}

void Standby::Core::give_way(std::shared_ptr<Gate> gate) {
  gates_.push_back(std::move(gate));
  if (stopping_) return open_gates();
  end_reading();
  wake_.notify();
}

// A request that is still on its way into the engine shows in none of its slots, and is not undone
// by closing its connection: it would take the slot that holds the conversation just before the
// real request looks for it. So its end waits for its beginning.
void Standby::Core::end_reading() {
  unwanted_ = true;
  if (cancel_ != nullptr && (begun_ || engine_ == nullptr)) cancel_->fire();
}

asio::awaitable<void> Standby::Core::let_in() {
  if (switching_.exchange(false)) co_await put_aside();
  open_gates();
}

// The engine looks for what it has read of a conversation in a slot that begins alike before it
// looks among what it has put aside, and overwrites there what differs. Conversations of one client
// begin alike, so what was read of one must be put aside before the engine turns to another: a
// request that resembles nothing makes it do so.
asio::awaitable<void> Standby::Core::put_aside() {
  if (engine_ == nullptr) co_return;
  const engine::EngineState state = engine_->snapshot();
  if (state.condition != engine::Condition::ready || state.slots < 2) co_return;
  // All slots rest, unless real requests are at work: then any free one.
  const std::string slot =
      local_.load() > 0 ? std::string() : fmt::format(R"("id_slot":{},)", state.slots - 1);
  const std::string body = fmt::format(
      R"({{{}"messages":[{{"role":"user","content":"."}}],"max_tokens":0,"stream":true,)"
      R"("add_generation_prompt":false,"cache_prompt":true}})",
      slot);
  http::Cancel cancel;
  const Result<Outcome> done = co_await read_ahead(provider_, body, *this, cancel);
  if (!done) log::debug("standby: {}", done.error().message);
}

void Standby::Core::local_has_ended() {
  local_ended_at_ = loop_.now();
  wake_.notify();
}

// Something has changed: the job at hand may be worth nothing now, or there is one.
void Standby::Core::consider() {
  if (job_ != nullptr && book_.outdated(*job_, loop_.now())) end_reading();
  publish();
  wake_.notify();
}

void Standby::Core::open_gates() {
  for (std::shared_ptr<Gate>& gate : gates_) {
    http::Loop& caller = gate->loop;
    asio::post(caller.io(), [gate = std::move(gate)]() { gate->wakeup.notify(); });
  }
  gates_.clear();
}

asio::awaitable<void> Standby::Core::pause(Instant until) {
  http::Alarm alarm(wake_);
  loop_.wheel().arm(alarm, until);
  co_await wake_.wait();
}

asio::awaitable<void> Standby::Core::run() {
  while (!stopping_) {
    if (!gates_.empty()) {
      co_await let_in();
      continue;
    }
    const Instant now = loop_.now();
    const std::string reason = against(now);
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      state_.paused = reason;
    }
    publish();
    if (!reason.empty()) {
      const Instant rested = local_ended_at_ + options_.rest_after_local;
      co_await pause(std::min(now + kLookEvery, rested > now ? rested : now + kLookEvery));
      continue;
    }
    std::optional<Job> job = book_.next(now);
    if (!job) {
      const Instant retry = book_.retry_at().value_or(now + kNothingToDo);
      co_await pause(std::clamp(retry, now + kLookEvery, now + kNothingToDo));
      continue;
    }
    // In this order, so that a local request either sees the reading or is seen by it.
    reading_ = true;
    if (local_.load() == 0) co_await read(*job);
    reading_ = false;
  }
  open_gates();
}

asio::awaitable<void> Standby::Core::read(const Job& job) {
  http::Cancel cancel;
  count_time(loop_.now());
  job_ = &job;
  cancel_ = &cancel;
  begun_ = unwanted_ = false;
  publish();
  const bool another = resident_.exchange(job.conversation) != job.conversation;
  if (another && several_.load()) co_await put_aside();
  std::string body = job.prompt.body();
  // The last slot took what put the others' readings aside: the first one is empty, and an empty
  // slot that is asked for by its number takes nothing from another conversation.
  if (job.place == Place::empty && engine_ != nullptr) body.insert(1, R"("id_slot":0,)");
  Result<Outcome> outcome = fail(ErrorCode::cancelled, "a real request came first");
  if (!unwanted_) outcome = co_await read_ahead(provider_, body, *this, cancel);
  const Instant now = loop_.now();
  count_time(now);
  job_ = nullptr;
  cancel_ = nullptr;
  const bool preempted = !outcome && unwanted_ && local_.load() > 0;
  if (unwanted_ && engine_ != nullptr && !stopping_) {
    const engine::EngineState state = engine_->snapshot();
    if (state.condition == engine::Condition::ready) {
      const Instant until = now + kLetGoWithin;
      co_await until_free(client_, state.endpoint, until);
    }
  }
  if (preempted) {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++state_.preempted;
  }
  settle(job, outcome);
}

void Standby::Core::settle(const Job& job, const Result<Outcome>& outcome) {
  const Instant now = loop_.now();
  if (outcome) {
    book_.finished(job, *outcome, now);
    const std::lock_guard<std::mutex> lock(mutex_);
    ++state_.readings;
    state_.tokens_read += outcome->read;
  } else if (outcome.error().code == ErrorCode::cancelled) {
    book_.interrupted(job);
  } else {
    log::debug("standby: {}", outcome.error().message);
    book_.failed(job, outcome.error(), now);
  }
  publish();
}

void Standby::Core::on_progress(std::int64_t read, std::int64_t tokens) {
  if (job_ == nullptr) return;
  begun_ = true;
  book_.progress(*job_, read, tokens);
  const bool goes_on = !unwanted_ && !book_.outdated(*job_, loop_.now()) &&
                       against_surroundings(loop_.now()).empty();
  if (!goes_on) end_reading();
  publish();
}

// What speaks against reading ahead now; empty = nothing.
std::string Standby::Core::against(Instant now) {
  if (options_.mode == Mode::off) return "off";
  if (local_.load() > 0) return "a local request runs";
  if (now < local_ended_at_ + options_.rest_after_local) return "a local request has just run";
  if (const std::optional<std::string> engine = against_engine(now)) return *engine;
  return against_surroundings(now);
}

std::optional<std::string> Standby::Core::against_engine(Instant now) {
  if (engine_ == nullptr) return std::nullopt;
  const engine::EngineState state = engine_->snapshot();
  if (state.condition != engine::Condition::ready) {
    // Who wants it in any case wants it to be there when the cloud is not.
    const bool asleep = state.condition == engine::Condition::stopped && !state.halted;
    if (options_.mode == Mode::on && asleep && book_.has_tool_conversation(now)) engine_->start();
    return fmt::format("the engine is {}", engine::name(state.condition));
  }
  const bool another = state.pid != engine_pid_ || state.ready_since != engine_since_;
  if (another && engine_pid_ != -1) {
    book_.forget_warm();
    const std::lock_guard<std::mutex> lock(mutex_);
    ++state_.rereads;
  }
  engine_pid_ = state.pid;
  engine_since_ = state.ready_since;
  return std::nullopt;
}

std::string Standby::Core::against_surroundings(Instant now) {
  if (options_.mode == Mode::on) return {};
  if (looked_at_ != Instant() && now - looked_at_ < kSurroundingsEvery) return spoke_against_;
  looked_at_ = now;
  count_time(now);
  const double others = surroundings_->load() - busy_;
  spoke_against_.clear();
  if (!surroundings_->on_mains()) {
    spoke_against_ = "on battery";
  } else if (others > options_.load_max) {
    spoke_against_ = fmt::format("this machine is busy (load {:.1f} per core)", others);
  }
  return spoke_against_;
}

// Brings busy_ up to `now`; the time since the last count was spent as job_ tells.
void Standby::Core::count_time(Instant now) {
  if (counted_at_ != Instant()) {
    const double passed = std::chrono::duration<double>(now - counted_at_).count();
    busy_ += (1 - std::exp(-passed / kMinute)) * ((job_ == nullptr ? 0.0 : 1.0) - busy_);
  }
  counted_at_ = now;
}

void Standby::Core::publish() {
  std::vector<ConversationState> conversations = book_.states(loop_.now());
  several_ = book_.has_several(loop_.now());
  const std::lock_guard<std::mutex> lock(mutex_);
  state_.reading = job_ != nullptr;
  state_.read_rate = book_.read_rate();
  state_.conversations_max = options_.book.conversations_max;
  state_.capacity = book_.capacity();
  state_.conversations = std::move(conversations);
}

}  // namespace nl::standby
