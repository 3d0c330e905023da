#include "standby/reading.h"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "dialect/framer.h"
#include "dialect/json.h"

namespace nl::standby {
namespace {

namespace asio = boost::asio;

// Between two signs of life; a batch of a slow machine takes seconds.
constexpr Duration kSilenceMax = std::chrono::seconds(300);
constexpr Duration kLookEvery = std::chrono::milliseconds(2);
constexpr Duration kLookWithin = std::chrono::seconds(5);
constexpr std::size_t kSlotsBytesMax = 256 * 1024;

std::int64_t number(dialect::Value value) {
  return value.integer().value_or(static_cast<std::int64_t>(value.number().value_or(0)));
}

// The body of a small answer to GET `target`; empty where none came.
asio::awaitable<std::string> get(http::Client& client, const http::Endpoint& endpoint,
                                 http::Cancel& cancel, Instant until) {
  http::Outgoing outgoing;
  outgoing.method = "GET";
  outgoing.target = "/slots";
  auto call = co_await client.send(endpoint, outgoing, cancel, until);
  std::string body;
  if (!call || (*call)->head().status != 200) co_return body;
  while (body.size() < kSlotsBytesMax) {
    const Result<std::string_view> piece = co_await (*call)->read(until);
    if (!piece) co_return std::string();
    if (piece->empty()) break;
    body.append(*piece);
  }
  co_return body;
}

class CountTaker final : public FrameSink {
 public:
  explicit CountTaker(ReadingSink& sink) : sink_(sink) {}

  Result<void> on_frame(const dialect::SseFrame& frame) override {
    return take_frame(frame, outcome_, sink_);
  }
  const Outcome& outcome() const { return outcome_; }

 private:
  ReadingSink& sink_;
  Outcome outcome_;
};

bool any_at_work(const std::string& slots) {
  dialect::Document document;
  if (!document.parse(slots)) return false;
  for (dialect::Value slot = document.root().first(); slot; slot = slot.next()) {
    if (slot["is_processing"].boolean().value_or(false)) return true;
  }
  return false;
}

}  // namespace

Result<void> take_frame(const dialect::SseFrame& frame, Outcome& outcome, ReadingSink& sink) {
  dialect::Document document;
  if (!document.parse(frame.data)) return {};  // "[DONE]"
  const dialect::Value root = document.root();
  if (const dialect::Value error = root["error"]) {
    const std::string said = error["message"].text().utf8() + error.text().utf8();
    return fail(ErrorCode::stream_error, "the local server: " + said.substr(0, 120));
  }
  if (const dialect::Value progress = root["prompt_progress"]) {
    outcome.tokens = number(progress["total"]);
    sink.on_progress(number(progress["processed"]), outcome.tokens);
  }
  if (const dialect::Value timings = root["timings"]) {
    outcome.read = number(timings["prompt_n"]);
    outcome.tokens = std::max(outcome.tokens, outcome.read + number(timings["cache_n"]));
    outcome.read_ms = number(timings["prompt_ms"]);
  }
  if (root["done"].boolean().value_or(false)) {
    // Counts the whole prompt, whatever was there already.
    outcome.tokens = outcome.read = number(root["prompt_eval_count"]);
    outcome.read_ms = number(root["prompt_eval_duration"]) / 1'000'000;
  }
  return {};
}

asio::awaitable<Result<void>> follow(provider::Provider& provider, const std::string& body,
                                     FrameSink& sink, http::Cancel& cancel) {
  const http::RequestHead nobody;
  provider::Try attempt;
  attempt.client.head = &nobody;
  attempt.body = body;
  attempt.stream = true;
  attempt.head_until = std::chrono::steady_clock::now() + kSilenceMax;
  auto opened = co_await provider.open(attempt, cancel);
  if (auto* refusal = std::get_if<std::unique_ptr<provider::Refusal>>(&opened)) {
    co_return std::unexpected(std::move((*refusal)->error));
  }
  provider::Opening& opening = std::get<provider::Opening>(opened);
  dialect::Framer framer(provider.dialect().framing());
  for (;;) {
    const Instant until = std::chrono::steady_clock::now() + kSilenceMax;
    Result<std::string_view> piece = co_await opening.read(until);
    if (!piece) co_return std::unexpected(std::move(piece.error()));
    if (piece->empty()) co_return Result<void>();
    Result<void> taken = framer.feed(*piece);
    while (taken) {
      const std::optional<dialect::SseFrame> frame = framer.next();
      if (!frame) break;
      taken = sink.on_frame(*frame);
    }
    if (!taken) co_return taken;
  }
}

asio::awaitable<Result<Outcome>> read_ahead(provider::Provider& provider, const std::string& body,
                                            ReadingSink& sink, http::Cancel& cancel) {
  CountTaker taker(sink);
  const Result<void> followed = co_await follow(provider, body, taker, cancel);
  if (!followed) co_return std::unexpected(followed.error());
  co_return taker.outcome();
}

asio::awaitable<void> until_free(http::Client& client, const http::Endpoint& engine,
                                 Instant until) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  http::Cancel never;
  while (std::chrono::steady_clock::now() < until) {
    const Instant within = std::min(until, std::chrono::steady_clock::now() + kLookWithin);
    const std::string slots = co_await get(client, engine, never, within);
    if (slots.empty() || !any_at_work(slots)) co_return;
    timer.expires_after(kLookEvery);
    co_await timer.async_wait(asio::use_awaitable);
  }
}

}  // namespace nl::standby
