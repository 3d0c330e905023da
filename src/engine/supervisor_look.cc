#include <fmt/format.h>

#include "engine/supervisor_core.h"

namespace nl::engine {

namespace asio = http::asio;

namespace {

constexpr std::size_t kReplyBytesMax = 1 << 20;
constexpr auto kFinishPoll = std::chrono::milliseconds(50);

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

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

asio::awaitable<void> Supervisor::Core::let_finish(Child& child) {
  const Instant until = loop_.now() + limits_.finish_within;
  while (!child.ended() && !closing_ && !halted_ && loop_.now() < until) {
    const Reply slots = co_await get("/slots", limits_.health_within);
    if (!slots.answered || slots.body.find("\"is_processing\":true") == std::string::npos) break;
    co_await pause(loop_.now() + kFinishPoll);
  }
}

asio::awaitable<Supervisor::Core::Reply> Supervisor::Core::get(std::string path, Duration within) {
  // The server keeps a thread for every kept connection.
  const http::Outgoing outgoing{"GET", path, "connection: close\r\n", ""};
  co_return co_await send(outgoing, within);
}

void Supervisor::Core::drop_question() {
  if (question_ != nullptr) question_->fire();
}

asio::awaitable<Supervisor::Core::Reply> Supervisor::Core::send(http::Outgoing outgoing,
                                                                Duration within) {
  Reply reply;
  const Instant until = loop_.now() + within;
  const http::Endpoint endpoint = state_.endpoint;
  http::Cancel cancel;
  const Asking asking(question_, cancel);
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
