#include "drill/cloud.h"

#include <boost/asio/deferred.hpp>
#include <boost/asio/steady_timer.hpp>
#include <utility>
#include <vector>

#include "dialect/json.h"
#include "drill/wire.h"

namespace nl::drill {
namespace {

constexpr int kWordsBeforeWhole = 3;

}  // namespace

const char* name(CloudMode mode) {
  switch (mode) {
    case CloudMode::up:
      return "up";
    case CloudMode::limit:
      return "limit";
    case CloudMode::dark:
      return "dark";
  }
  return "dark";
}

DrillCloud::DrillCloud(http::Loop& loop, DrillCloudOptions options)
    : loop_(loop), options_(std::move(options)) {}

DrillCloud::~DrillCloud() {
  if (server_) server_->stop();
}

Result<std::uint16_t> DrillCloud::listen() {
  auto server = std::make_unique<http::Server>(loop_, *this, http::ServerLimits());
  const http::ListenAddress address{"127.0.0.1", port_, ""};
  if (const auto bound = server->listen(address); !bound) return std::unexpected(bound.error());
  server_ = std::move(server);
  port_ = server_->ports().front();
  mode_ = CloudMode::up;
  return port_;
}

Result<void> DrillCloud::set_mode(CloudMode mode) {
  words_left_ = 0;
  if (mode == CloudMode::dark) {
    mode_ = mode;
    if (server_) server_->stop();
    server_.reset();
    return {};
  }
  if (!server_) {
    if (const auto bound = listen(); !bound) return std::unexpected(bound.error());
  }
  mode_ = mode;
  return {};
}

std::optional<http::Answer> DrillCloud::admit(const http::RequestHead&, std::string_view) {
  return std::nullopt;
}

http::Answer DrillCloud::refuse(const Error& error, std::string_view) {
  return error_answer(options_.dialect, error.status == 0 ? 400 : error.status, error.message);
}

http::asio::awaitable<void> DrillCloud::pause(Duration time) {
  http::asio::steady_timer timer(loop_.io(), time);
  co_await timer.async_wait(http::asio::deferred);
}

http::asio::awaitable<void> DrillCloud::handle(http::Exchange& exchange) {
  if (exchange.head().method != "POST") {
    const http::Answer answer = error_answer(options_.dialect, 404, "not found");
    (void)co_await exchange.respond(answer);
    co_return;
  }
  if (exchange.head().path.ends_with("/count_tokens")) {
    http::Answer answer;
    answer.body = "{\"input_tokens\":" + std::to_string(exchange.body().size() / 4) + "}";
    (void)co_await exchange.respond(answer);
    co_return;
  }
  const auto turn = read_drill_turn(options_.dialect, exchange.body());
  if (!turn) {
    const http::Answer answer = error_answer(options_.dialect, 400, turn.error().message);
    (void)co_await exchange.respond(answer);
    co_return;
  }
  if (mode_ == CloudMode::limit) {
    const http::Answer answer =
        limit_answer(options_.dialect, loop_.clock().wall(), options_.limit_reset);
    (void)co_await exchange.respond(answer);
    co_return;
  }
  co_await speak(exchange, *turn);
}

http::asio::awaitable<void> DrillCloud::speak(http::Exchange& exchange, const DrillTurn& turn) {
  const DrillSpeech speech = think(turn, options_.who, options_.steps);
  if (!turn.stream) {
    co_await pause(options_.word_pause * kWordsBeforeWhole);
    http::Answer answer;
    answer.body = whole_body(options_.dialect, turn, speech);
    (void)co_await exchange.respond(answer);
    co_return;
  }
  const std::vector<DrillPiece> pieces = stream_pieces(options_.dialect, turn, speech);
  bool begun = false;
  for (const DrillPiece& piece : pieces) {
    Result<void> sent;
    if (begun) {
      sent = co_await exchange.write(piece.bytes);
    } else {
      sent = co_await exchange.begin_stream("text/event-stream", "", piece.bytes);
    }
    if (!sent) co_return;
    begun = true;
    if (!piece.word) continue;
    co_await pause(options_.word_pause);
    if (words_left_ > 0 && --words_left_ == 0) (void)set_mode(CloudMode::dark);
  }
  (void)co_await exchange.finish();
}

}  // namespace nl::drill
