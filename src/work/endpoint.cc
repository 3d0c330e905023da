#include "work/endpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>
#include <csignal>
#include <exception>
#include <utility>

#include "base/version.h"
#include "dialect/dialect.h"
#include "dialect/json.h"
#include "dialect/sse.h"
#include "work/answer_listener.h"

namespace nl::work {
namespace {

namespace asio = http::asio;
using dialect::DialectId;

constexpr Duration kRecordWithin = std::chrono::seconds(5);
constexpr Duration kRecordAgain = std::chrono::milliseconds(20);
constexpr int kRecordTries = 10;
constexpr std::size_t kSmallBytesMax = 1u << 20;

std::string header(const http::ResponseHead& head, std::string_view name) {
  return std::string(head.headers.find(name).value_or(""));
}

std::uint64_t count_of(const dialect::Value& value) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(value.integer().value_or(0), 0));
}

// One request and what becomes of it. Stays in place: coroutine and client view it.
struct Flight {
  std::string target;
  std::string headers;
  std::string body;
  http::Outgoing outgoing;
  http::Cancel cancel;
  Instant started{};
  Instant until{};  // the whole answer
  bool heard = false;

  void aim(std::string_view method) {
    outgoing.method = method;
    outgoing.target = target;
    outgoing.headers = headers;
    outgoing.body = body;
  }
};

// A header line unless there is nothing to say. A value never holds a line break: it comes from a
// command line or a recipe.
void add_line(std::string& headers, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  headers.append(name).append(": ");
  for (const char c : value) headers += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  headers += "\r\n";
}

// A cancelled call says so in whatever words its socket had.
Error told(Error error, const Flight& flight) {
  if (flight.cancel.fired()) return Error(ErrorCode::cancelled, "stopped");
  return error;
}

}  // namespace

struct Endpoint::Impl {
  Impl(Address where, EndpointLimits bounds) : address(std::move(where)), limits(bounds) {}

  std::string lines(const Prompt& prompt) const {
    std::string headers = "content-type: application/json\r\nanthropic-version: 2023-06-01\r\n";
    add_line(headers, "user-agent", fmt::format("nightlight/{}", kVersion));
    add_line(headers, "x-nightlight-route", prompt.route);
    add_line(headers, "x-nightlight-task", prompt.task);
    return headers + address.headers;
  }

  Error unreachable(const Error& error) const {
    return Error(error.code, fmt::format("no Nightlight answers at {}: {}; start it with "
                                         "`nightlight up`",
                                         address.name, error.message));
  }

  // Runs `work` to its end. Ctrl-C fires the flight's cancel.
  void run(Flight& flight, asio::awaitable<void> work) {
    bool done = false;
    asio::steady_timer quiet(loop.io(), limits.quiet);
    if (on_quiet) {
      quiet.async_wait([this, &flight](const boost::system::error_code& error) {
        if (!error && !flight.heard) std::exchange(on_quiet, nullptr)(last_target);
      });
    }
    asio::signal_set signals(loop.io(), SIGINT);
    signals.async_wait([&flight](const boost::system::error_code& error, int) {
      if (!error) flight.cancel.fire();
    });
    asio::co_spawn(loop.io(), std::move(work), [&done](const std::exception_ptr&) { done = true; });
    loop.io().restart();
    while (!done) loop.io().run_one();
    signals.cancel();
    quiet.cancel();
    loop.io().poll();
  }

  asio::awaitable<void> ask(Flight& flight, Result<Reply>& out, const OnText& on_text);
  asio::awaitable<Result<void>> read_stream(Flight& flight, http::Call& call, Reply& reply,
                                            const OnText& on_text);
  asio::awaitable<Result<std::string>> read_small(http::Call& call, Instant until);
  asio::awaitable<void> take_record(Flight& flight, Reply& reply);
  asio::awaitable<void> ask_count(Flight& flight, Result<Count>& out);
  asio::awaitable<Error> refusal(Flight& flight, http::Call& call);

  const Address address;
  const EndpointLimits limits;
  const SystemClock clock;
  std::string last_id;
  std::string last_target;  // as the last count said
  OnQuiet on_quiet;
  http::Loop loop{clock};
  http::Client client{loop, http::ClientOptions()};
};

asio::awaitable<Result<std::string>> Endpoint::Impl::read_small(http::Call& call, Instant until) {
  std::string body;
  for (;;) {
    const Result<std::string_view> piece = co_await call.read(until);
    if (!piece) co_return std::unexpected(piece.error());
    if (piece->empty()) co_return body;
    body.append(*piece);
    if (body.size() > kSmallBytesMax) {
      co_return fail(ErrorCode::too_large, "the gateway's answer is larger than 1 MiB");
    }
  }
}

// The gateway's own words, and where to read more.
asio::awaitable<Error> Endpoint::Impl::refusal(Flight& flight, http::Call& call) {
  const int status = call.head().status;
  const std::string id = header(call.head(), "x-nightlight-request-id");
  const Result<std::string> body = co_await read_small(call, flight.until);
  const dialect::Dialect& messages = dialect::dialect(DialectId::anthropic);
  std::string message = body ? messages.read_error(status, *body).message : body.error().message;
  if (message.empty()) message = fmt::format("the gateway answered with status {}", status);
  if (!id.empty()) message += fmt::format(" (`nightlight why {}` says more)", id);
  co_return Error(ErrorCode::status, std::move(message), status);
}

asio::awaitable<Result<void>> Endpoint::Impl::read_stream(Flight& flight, http::Call& call,
                                                          Reply& reply, const OnText& on_text) {
  AnswerListener listener(reply, on_text);
  dialect::SseFramer framer;
  const auto reader = dialect::dialect(DialectId::anthropic).make_reader();
  std::size_t bytes = 0;
  while (!reader->finished() && !listener.error()) {
    const Instant until = std::min(clock.now() + limits.silence, flight.until);
    const Result<std::string_view> piece = co_await call.read(until);
    if (!piece) co_return std::unexpected(piece.error());
    if (piece->empty()) break;
    bytes += piece->size();
    if (bytes > limits.answer_bytes_max) {
      co_return fail(ErrorCode::too_large, fmt::format("the answer is larger than {} MiB",
                                                       limits.answer_bytes_max >> 20));
    }
    if (const Result<void> fed = framer.feed(*piece); !fed) co_return fed;
    while (const auto frame = framer.next()) {
      if (frame->kind != dialect::FrameKind::event) continue;
      const bool had_text = listener.has_text();
      if (const Result<void> read = reader->frame(*frame, listener); !read) co_return read;
      if (had_text || !listener.has_text()) continue;
      reply.first_token = clock.now() - flight.started;
      flight.heard = true;
    }
  }
  if (listener.error()) co_return std::unexpected(*listener.error());
  reader->end(listener);
  if (!reader->finished()) co_return fail(ErrorCode::truncated, "the answer broke off");
  reply.input_tokens = static_cast<std::uint64_t>(listener.usage().input_total());
  reply.output_tokens = static_cast<std::uint64_t>(listener.usage().output.value_or(0));
  // The rest is the framing's end; with it the connection can be used again.
  while (!call.complete()) {
    const Result<std::string_view> rest = co_await call.read(clock.now() + kRecordWithin);
    if (!rest || rest->empty()) break;
  }
  co_return Result<void>();
}

// What the gateway has put down of this turn, which is what its ledger will say. It is written as
// the answer ends, so another loop of the gateway may not have it yet.
asio::awaitable<void> Endpoint::Impl::take_record(Flight& flight, Reply& reply) {
  if (reply.request_id.empty()) co_return;
  const std::string target = "/nightlight/requests/" + reply.request_id;
  http::Outgoing outgoing;
  outgoing.method = "GET";
  outgoing.target = target;
  outgoing.headers = address.headers;
  for (int i = 0; i < kRecordTries && !flight.cancel.fired(); ++i) {
    const Instant until = clock.now() + kRecordWithin;
    auto call = co_await client.send(address.endpoint, outgoing, flight.cancel, until);
    if (!call) co_return;
    const Result<std::string> body = co_await read_small(**call, until);
    dialect::Document document;
    if ((*call)->head().status == 200 && body && document.parse(*body)) {
      const dialect::Value row = document.root();
      reply.tier = row["tier"].text().utf8();
      reply.provider = row["provider"].text().utf8();
      reply.model = row["model"].text().utf8();
      reply.reason = row["reason"].text().utf8();
      reply.compacted = row["compacted"].text().utf8();
      reply.input_tokens = count_of(row["input_tokens"]);
      reply.output_tokens = count_of(row["output_tokens"]);
      reply.usage_estimated = row["usage_estimated"].boolean().value_or(false);
      reply.cost_usd = row["cost_usd"].number();
      co_return;
    }
    asio::steady_timer timer(loop.io(), kRecordAgain);
    co_await timer.async_wait(asio::use_awaitable);
  }
}

asio::awaitable<void> Endpoint::Impl::ask(Flight& flight, Result<Reply>& out,
                                          const OnText& on_text) {
  const Instant head_until = flight.started + limits.head;
  auto call = co_await client.send(address.endpoint, flight.outgoing, flight.cancel, head_until);
  if (!call) {
    out = std::unexpected(told(unreachable(call.error()), flight));
    co_return;
  }
  const http::ResponseHead& head = (*call)->head();
  last_id = header(head, "x-nightlight-request-id");
  if (head.status != 200) {
    Error error = co_await refusal(flight, **call);
    out = std::unexpected(told(std::move(error), flight));
    co_return;
  }
  Reply reply;
  reply.request_id = last_id;
  reply.tier = header(head, "x-nightlight-tier");
  reply.provider = header(head, "x-nightlight-provider");
  reply.model = header(head, "x-nightlight-model");
  reply.reason = header(head, "x-nightlight-reason");
  reply.compacted = header(head, "x-nightlight-compacted");
  const Result<void> read = co_await read_stream(flight, **call, reply, on_text);
  if (!read) {
    Error error = told(read.error(), flight);
    if (error.code != ErrorCode::cancelled && !reply.request_id.empty()) {
      error.message += fmt::format(" (`nightlight why {}` says more)", reply.request_id);
    }
    out = std::unexpected(std::move(error));
    co_return;
  }
  reply.whole = clock.now() - flight.started;
  // Given back before the next request, which then comes behind this one on the same connection.
  call->reset();
  co_await take_record(flight, reply);
  out = std::move(reply);
}

asio::awaitable<void> Endpoint::Impl::ask_count(Flight& flight, Result<Count>& out) {
  auto call = co_await client.send(address.endpoint, flight.outgoing, flight.cancel, flight.until);
  if (!call) {
    out = std::unexpected(told(unreachable(call.error()), flight));
    co_return;
  }
  const http::ResponseHead& head = (*call)->head();
  if (head.status != 200) {
    Error error = co_await refusal(flight, **call);
    out = std::unexpected(told(std::move(error), flight));
    co_return;
  }
  Count count;
  count.estimated = header(head, "x-nightlight-tier") == "estimate";
  count.target = header(head, "x-nightlight-target");
  count.tier = header(head, "x-nightlight-target-tier");
  count.compacted = header(head, "x-nightlight-compacted");
  const std::string window = header(head, "x-nightlight-window");
  std::int64_t tokens = 0;
  const auto read = std::from_chars(window.data(), window.data() + window.size(), tokens);
  if (read.ec == std::errc() && tokens > 0) count.window = tokens;
  const Result<std::string> body = co_await read_small(**call, flight.until);
  dialect::Document document;
  if (!body || !document.parse(*body) || !document.root()["input_tokens"].integer()) {
    out = std::unexpected(told(
        body ? Error(ErrorCode::protocol, "the gateway stated no count") : body.error(), flight));
    co_return;
  }
  count.tokens = *document.root()["input_tokens"].integer();
  last_target = count.target;
  out = std::move(count);
}

Endpoint::Endpoint(Address address, EndpointLimits limits)
    : impl_(std::make_unique<Impl>(std::move(address), limits)) {}

Endpoint::~Endpoint() = default;

Result<Reply> Endpoint::answer(const Prompt& prompt, const OnText& on_text) {
  Flight flight;
  flight.target = "/v1/messages";
  flight.headers = impl_->lines(prompt);
  flight.body = prompt_body(prompt, BodyFor::answer);
  flight.aim("POST");
  flight.started = impl_->clock.now();
  flight.until = flight.started + impl_->limits.whole;
  Result<Reply> out = fail(ErrorCode::internal, "the question was not asked");
  impl_->last_id.clear();
  impl_->run(flight, impl_->ask(flight, out, on_text));
  return out;
}

void Endpoint::when_quiet(OnQuiet on_quiet) {
  impl_->on_quiet = std::move(on_quiet);
}

const std::string& Endpoint::last_request_id() const {
  return impl_->last_id;
}

Result<Count> Endpoint::count(const Prompt& prompt) {
  Flight flight;
  flight.target = "/v1/messages/count_tokens";
  flight.headers = impl_->lines(prompt);
  flight.body = prompt_body(prompt, BodyFor::count);
  flight.aim("POST");
  flight.started = impl_->clock.now();
  flight.until = flight.started + impl_->limits.head;
  Result<Count> out = fail(ErrorCode::internal, "the count was not asked for");
  impl_->run(flight, impl_->ask_count(flight, out));
  return out;
}

}  // namespace nl::work
