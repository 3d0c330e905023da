#include "http/ask.h"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <exception>

namespace nl::http {
namespace {

constexpr std::size_t kAnswerBytesMax = 4u << 20;

// Borrows all of its arguments: the caller runs the loop until it is done.
asio::awaitable<void> fetch(Client& client, const Question& question, Instant until,
                            Result<std::string>& out) {
  Cancel cancel;
  Outgoing outgoing;
  outgoing.method = "GET";
  outgoing.target = question.target;
  outgoing.headers = question.headers;
  auto call = co_await client.send(question.endpoint, outgoing, cancel, until);
  if (!call) {
    out = std::unexpected(std::move(call.error()));
    co_return;
  }
  std::string body;
  while (true) {
    auto piece = co_await (*call)->read(until);
    if (!piece) {
      out = std::unexpected(std::move(piece.error()));
      co_return;
    }
    if (piece->empty()) break;
    body.append(*piece);
    if (body.size() > kAnswerBytesMax) {
      out = fail(ErrorCode::too_large, "the answer is larger than 4 MiB");
      co_return;
    }
  }
  const int status = (*call)->head().status;
  if (status == 200) {
    out = std::move(body);
  } else {
    out = fail(ErrorCode::status, fmt::format("it answered with status {}", status), status);
  }
}

}  // namespace

Result<std::string> ask(const Question& question) {
  const SystemClock clock;
  Result<std::string> out = fail(ErrorCode::timeout, "no answer in time");
  Loop loop(clock);
  Client client(loop, ClientOptions());
  const Instant until = clock.now() + question.within;
  asio::co_spawn(loop.io(), fetch(client, question, until, out),
                 [&loop](const std::exception_ptr&) { loop.io().stop(); });
  // The deadline ends the work; the rest is for the wheel's coarse step.
  loop.io().run_for(question.within + std::chrono::milliseconds(500));
  return out;
}

}  // namespace nl::http
