#include "standby/standby_core.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#ifdef __linux__
#include <sys/resource.h>
#endif

#include "base/log.h"

namespace nl::standby {
namespace {

namespace asio = boost::asio;

constexpr Duration kLookEvery = std::chrono::seconds(1);
constexpr Duration kNothingToDo = std::chrono::seconds(30);
// An engine that holds something is looked at so often: it may have been started anew.
constexpr Duration kEngineEvery = std::chrono::seconds(2);
// Turns come in bursts: a summary waits for a pause.
constexpr Duration kQuiet = std::chrono::seconds(3);

// So much less urgent than the gateway's loops is what is done here: rendering a long conversation
// takes milliseconds, and must not keep an event of a stream waiting for a core.
constexpr int kLessUrgent = 5;

bool same_place(const Target& a, const Target& b) {
  return a.engine == b.engine && a.setting.name == b.setting.name &&
         a.setting.dialect == b.setting.dialect &&
         a.setting.base.endpoint.authority() == b.setting.base.endpoint.authority() &&
         a.setting.base.path == b.setting.base.path;
}

// Only on Linux has a thread a niceness of its own.
void step_back() {
#ifdef __linux__
  const int now = ::getpriority(PRIO_PROCESS, 0);
  ::setpriority(PRIO_PROCESS, 0, std::min(now + kLessUrgent, 19));
#endif
}

}  // namespace

void Standby::Core::begin() {
  thread_ = std::thread([this]() {
    step_back();
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
    if (aside_ != nullptr) aside_->fire();
    wake_.notify();
  });
  thread_.join();
  // Whoever came meanwhile must not wait for a gate that nobody opens.
  loop_.io().restart();
  loop_.io().poll();
}

std::string Standby::Core::target() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return name_;
}

void Standby::Core::name_target(std::string name) {
  const std::lock_guard<std::mutex> lock(mutex_);
  name_ = std::move(name);
}

StandbyState Standby::Core::snapshot() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return state_;
}

bool Standby::Core::announce_local(std::uint64_t conversation) {
  local_.fetch_add(1);
  const bool another = resident_.exchange(conversation) != conversation;
  if (another && several_.load() && engine_.load() != nullptr) {
    switching_ = true;
    return true;
  }
  return reading_.load();
}

void Standby::Core::retire_local() {
  local_.fetch_sub(1);
}

// What was read elsewhere counts for nothing; the reading at hand ends first.
void Standby::Core::aim(std::optional<Target> target) {
  const std::optional<Target>& before = next_ ? next_->target : target_;
  const bool elsewhere = !before || !target || !same_place(*before, *target);
  if (elsewhere) book_ = ConversationBook(options_.book);
  next_ = Next{std::move(target), elsewhere || (next_ && next_->elsewhere)};
  if (elsewhere && cancel_ != nullptr) end_reading();
  publish();
  wake_.notify();
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

void Standby::Core::local_has_ended() {
  local_ended_at_ = loop_.now();
  wake_.notify();
}

// Something has changed: the job at hand may be worth nothing now, or there is one.
void Standby::Core::consider() {
  const bool outdated = job_ != nullptr && book_.outdated(*job_, loop_.now());
  if (outdated || writing_) end_reading();
  summary_at_ = std::max(summary_at_, loop_.now() + kQuiet);
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

// With nothing to read or to write, until when.
Instant Standby::Core::nothing_until(Instant now) const {
  Instant until = book_.retry_at().value_or(now + kNothingToDo);
  if (target_->forms && summary_at_ > now) until = std::min(until, summary_at_);
  if (engine_.load() != nullptr && book_.bytes() > 0) until = std::min(until, now + kEngineEvery);
  return std::clamp(until, now + kLookEvery, now + kNothingToDo);
}

asio::awaitable<void> Standby::Core::run() {
  while (!stopping_) {
    if (!gates_.empty()) {
      co_await let_in();
      continue;
    }
    if (next_) turn_to_next();
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
      const bool wrote = co_await summarise();
      if (!wrote) co_await pause(nothing_until(now));
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
  if (job.place == Place::empty && engine_.load() != nullptr) body.insert(1, R"("id_slot":0,)");
  Result<Outcome> outcome = fail(ErrorCode::cancelled, "a real request came first");
  if (!unwanted_) outcome = co_await read_ahead(*provider_, body, *this, cancel);
  const Instant now = loop_.now();
  count_time(now);
  job_ = nullptr;
  cancel_ = nullptr;
  const bool preempted = !outcome && unwanted_ && local_.load() > 0;
  if (unwanted_) co_await let_go();
  if (preempted) {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++state_.preempted;
  }
  if (next_ && next_->elsewhere) co_return;
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
  if (job_ == nullptr && !writing_) return;
  begun_ = true;
  if (job_ != nullptr) book_.progress(*job_, read, tokens);
  const bool goes_on = !unwanted_ && (job_ == nullptr || !book_.outdated(*job_, loop_.now())) &&
                       against_surroundings(loop_.now()).empty();
  if (!goes_on) end_reading();
  publish();
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
