// relay_bet: the bet on the hot path. A raw relay over the product's own server, client, transport
// and wheel: the head is rewritten, the body copied through, a stream passed on read by read.
//
//   relay_bet PORT UPSTREAM_PORT [PORT UPSTREAM_PORT]...
//
// It parses no JSON and routes by port alone, so it is what the gateway can cost at least.

#include <fmt/format.h>

#include <charconv>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "http/client.h"
#include "http/loop.h"
#include "http/server.h"

namespace {

using nl::Error;
using nl::Result;
namespace http = nl::http;
namespace asio = boost::asio;

constexpr auto kHeadWait = std::chrono::seconds(60);
constexpr auto kSilence = std::chrono::seconds(30);

// Headers of a request that go on: all but those that belong to one connection.
std::string forwarded_headers(const http::RequestHead& head) {
  constexpr std::string_view kOwn[] = {
      "host",       "connection", "content-length", "transfer-encoding", "expect",
      "keep-alive", "te",         "upgrade"};
  std::string lines;
  lines.reserve(512);
  for (const http::Header& field : head.headers.all()) {
    bool own = false;
    for (const std::string_view name : kOwn) own = own || http::same_name(field.name, name);
    if (own) continue;
    lines.append(field.name).append(": ").append(field.value).append("\r\n");
  }
  return lines.append("authorization: Bearer upstream-key\r\n");
}

class Relay final : public http::Handler {
 public:
  Relay(http::Loop& loop, http::Client& client, std::uint16_t upstream_port)
      : loop_(loop), client_(client) {
    upstream_.scheme = http::Scheme::http;
    upstream_.host = "127.0.0.1";
    upstream_.port = upstream_port;
  }

  std::optional<http::Answer> admit(const http::RequestHead&, std::string_view) override {
    return std::nullopt;
  }

  asio::awaitable<void> handle(http::Exchange& exchange) override {
    const std::string headers = forwarded_headers(exchange.head());
    const http::Outgoing outgoing{exchange.head().method, exchange.head().target, headers,
                                  exchange.body()};
    http::Cancel cancel;
    const nl::Instant head_until = loop_.now() + kHeadWait;
    auto call = co_await client_.send(upstream_, outgoing, cancel, head_until);
    if (!call) {
      const http::Answer refusal = refuse(call.error(), {});
      (void)co_await exchange.respond(refusal);
      co_return;
    }
    const auto type = (*call)->head().headers.find("content-type").value_or("application/json");
    if (type.starts_with("text/event-stream")) {
      co_await relay_stream(exchange, **call, type);
    } else {
      co_await relay_whole(exchange, **call, type);
    }
  }

  http::Answer refuse(const Error& error, std::string_view) override {
    http::Answer answer;
    answer.status = error.status == 0 ? 502 : error.status;
    answer.body = "{\"error\":\"" + std::string(nl::name(error.code)) + "\"}";
    return answer;
  }

 private:
  asio::awaitable<void> relay_whole(http::Exchange& exchange, http::Call& call,
                                    std::string_view type) {
    http::Answer answer;
    answer.status = call.head().status;
    answer.content_type = type;
    while (!call.complete()) {
      auto piece = call.read_now();
      if (!piece) piece = co_await call.read(loop_.now() + kSilence);
      if (!*piece) co_return exchange.abort();
      answer.body.append(**piece);
    }
    (void)co_await exchange.respond(answer);
  }

  asio::awaitable<void> relay_stream(http::Exchange& exchange, http::Call& call,
                                     std::string_view type) {
    bool begun = false;
    while (!call.complete()) {
      const auto piece = co_await call.read(loop_.now() + kSilence);
      if (!piece) co_return exchange.abort();
      Result<void> sent;
      if (!begun) {
        sent = co_await exchange.begin_stream(type, std::string_view(), *piece);
        begun = true;
      } else if (!piece->empty()) {
        sent = co_await exchange.write(*piece);
      }
      if (!sent) co_return;
    }
    (void)co_await exchange.finish();
  }

  http::Loop& loop_;
  http::Client& client_;
  http::Endpoint upstream_;
};

std::uint16_t port_of(std::string_view text) {
  std::uint16_t port = 0;
  std::from_chars(text.data(), text.data() + text.size(), port);
  return port;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string_view> arguments(argv + 1, argv + argc);
  if (arguments.empty() || arguments.size() % 2 != 0) {
    fmt::print(stderr, "usage: relay_bet PORT UPSTREAM_PORT ...\n");
    return 2;
  }
  nl::SystemClock clock;
  http::Loop loop(clock);
  http::Client client(loop, http::ClientOptions());
  std::vector<std::unique_ptr<Relay>> relays;
  std::vector<std::unique_ptr<http::Server>> servers;
  for (std::size_t i = 0; i < arguments.size(); i += 2) {
    relays.push_back(std::make_unique<Relay>(loop, client, port_of(arguments[i + 1])));
    servers.push_back(std::make_unique<http::Server>(loop, *relays.back(), http::ServerLimits()));
    const http::ListenAddress address{"127.0.0.1", port_of(arguments[i]), ""};
    const auto listening = servers.back()->listen(address);
    if (!listening) {
      fmt::print(stderr, "{}\n", listening.error().message);
      return 1;
    }
  }
  loop.io().run();
  return 0;
}
