#include "gateway/client_stream.h"

#include <algorithm>

namespace nl::gateway {
namespace {

std::string_view content_type(const dialect::Dialect& dialect) {
  switch (dialect.framing()) {
    case dialect::Framing::sse:
      return "text/event-stream";
    case dialect::Framing::ndjson:
      return "application/x-ndjson";
  }
  return {};
}

}  // namespace

std::string pending_headers(const Turn& turn) {
  return "x-nightlight-tier: pending\r\nx-nightlight-request-id: " + turn.id + "\r\n";
}

ClientStream::ClientStream(Turn& turn, const GatewayOptions& options)
    : turn_(turn),
      options_(options),
      wheel_(turn.exchange.loop().wheel()),
      last_write_(turn.started),
      streams_(turn.request.stream && !turn.direct) {
  rearm(turn.started);
}

void ClientStream::rearm(Instant now) {
  Instant at = now + options_.watch;
  if (streams_ && !head_sent_) at = std::min(at, turn_.started + options_.early_head);
  if (streams_ && head_sent_) at = std::min(at, last_write_ + options_.filler);
  wheel_.arm(*this, std::max(at, now + http::Wheel::kTick));
}

void ClientStream::on_deadline() {
  if (ended_) return;
  const Instant now = turn_.exchange.loop().now();
  if (turn_.exchange.client_gone()) {
    turn_.client_gone = true;
    turn_.cancel.fire();
    return;
  }
  if (streams_) send_filler(now);
  rearm(now);
}

void ClientStream::send_filler(Instant now) {
  std::string bytes;
  if (!head_sent_) {
    if (now < turn_.started + options_.early_head) return;
    opened_writer().filler(bytes);
    const std::string_view type = content_type(turn_.dialect);
    if (!turn_.exchange.begin_stream_now(type, pending_headers(turn_), bytes)) return;
    head_sent_ = opened_by_us_ = true;
    last_write_ = now;
    return;
  }
  if (now < last_write_ + options_.filler) return;
  opened_writer().filler(bytes);
  if (turn_.exchange.write_now(bytes)) last_write_ = now;
}

dialect::Writer& ClientStream::opened_writer() {
  if (writer_ == nullptr) {
    dialect::AnswerContext context = answer_context(turn_);
    if (!answer_id_.empty()) context.id = answer_id_;
    writer_ = turn_.dialect.make_writer(std::move(context));
    if (head_sent_) {
      // The opening went out with somebody else's bytes.
      std::string discarded;
      writer_->filler(discarded);
    }
  }
  return *writer_;
}

http::asio::awaitable<Result<void>> ClientStream::commit(std::string_view headers,
                                                         std::string_view bytes) {
  committed_ = true;
  last_write_ = turn_.exchange.loop().now();
  if (head_sent_) return turn_.exchange.write(bytes);
  head_sent_ = true;
  return turn_.exchange.begin_stream(content_type(turn_.dialect), headers, bytes);
}

http::asio::awaitable<Result<void>> ClientStream::write(std::string_view bytes) {
  last_write_ = turn_.exchange.loop().now();
  return turn_.exchange.write(bytes);
}

http::asio::awaitable<Result<void>> ClientStream::finish() {
  ended_ = true;
  disarm();
  const Result<void> sent = co_await turn_.exchange.finish();
  // The upstream has done its part: what fails now is the client's side.
  if (!sent) turn_.client_gone = true;
  co_return sent;
}

http::asio::awaitable<void> ClientStream::fail_stream(const Error& error) {
  ended_ = true;
  disarm();
  // As a plain server error whatever it was: an overload ends a Claude Code turn after four tries,
  // a server error gets eleven (docs/decisions/0003).
  Error said = error;
  if (said.status == 0 || said.status >= 500 || said.status == 429) said.status = 500;
  std::string bytes;
  opened_writer().error(said, bytes);
  const Result<void> written = co_await turn_.exchange.write(bytes);
  if (!written) co_return;
  const Result<void> finished = co_await turn_.exchange.finish();
  if (!finished) turn_.exchange.abort();
}

}  // namespace nl::gateway
