#include "http/exchange.h"

#include <array>
#include <cassert>
#include <charconv>

namespace nl::http {
namespace {

constexpr std::size_t kPendingBytesMax = 64 * 1024;
constexpr std::string_view kLastChunk = "0\r\n\r\n";

std::string_view reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 402:
      return "Payment Required";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 421:
      return "Misdirected Request";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    case 529:
      return "Overloaded";
    default:
      return "Status";
  }
}

}  // namespace

std::string compose_answer_head(const AnswerHead& head, ServerState& state) {
  std::string text;
  text.reserve(200 + head.content_type.size() + head.lines.size() + 64 * head.headers.size());
  const std::array<char, 3> digits = {static_cast<char>('0' + head.status / 100 % 10),
                                      static_cast<char>('0' + head.status / 10 % 10),
                                      static_cast<char>('0' + head.status % 10)};
  text.append("HTTP/1.1 ").append(digits.data(), digits.size()).append(" ");
  text.append(reason_of(head.status)).append("\r\n");
  if (!head.content_type.empty()) {
    text.append("content-type: ").append(head.content_type).append("\r\n");
  }
  if (head.content_length) {
    std::array<char, 20> length;
    const auto [end, failure] = std::to_chars(length.begin(), length.end(), *head.content_length);
    text.append("content-length: ").append(length.begin(), end).append("\r\n");
  }
  if (head.chunked) text.append("transfer-encoding: chunked\r\n");
  text.append("cache-control: no-store\r\ndate: ").append(state.date()).append("\r\n");
  text.append(head.lines);
  for (const auto& [name, value] : head.headers) {
    text.append(name).append(": ").append(value).append("\r\n");
  }
  if (!head.keep_alive) {
    text.append("connection: close\r\n");
  } else if (head.minor_version == 0) {
    text.append("connection: keep-alive\r\n");
  }
  return text.append("\r\n");
}

AnswerHead head_of(const Answer& answer) {
  AnswerHead head;
  head.status = answer.status;
  head.content_type = answer.content_type;
  head.lines = answer.header_lines;
  head.headers = answer.headers;
  if (answer.status != 204 && answer.status != 304) head.content_length = answer.body.size();
  return head;
}

bool ServerExchange::keep_alive() const {
  return head_.keep_alive && !close_after_ && !connection_.state().draining;
}

asio::awaitable<Result<void>> ServerExchange::respond(const Answer& answer) {
  assert(stage_ == Stage::nothing);
  if (stage_ != Stage::nothing) return send(std::string(), {}, {});
  stage_ = Stage::complete;
  AnswerHead head = head_of(answer);
  head.keep_alive = keep_alive();
  head.minor_version = head_.minor_version;
  std::string text = compose_answer_head(head, connection_.state());
  const std::string_view body = has_body() ? std::string_view(answer.body) : std::string_view();
  return send(std::move(text), body, std::string_view());
}

std::string ServerExchange::stream_head(std::string_view content_type, std::string_view headers) {
  stage_ = Stage::streaming;
  // Without chunks only the end of the connection can end the stream.
  if (!chunked()) close_after_ = true;
  AnswerHead head;
  head.content_type = content_type;
  head.lines = headers;
  head.chunked = chunked();
  head.keep_alive = keep_alive();
  head.minor_version = head_.minor_version;
  return compose_answer_head(head, connection_.state());
}

std::string_view ServerExchange::frame(std::string_view bytes, std::string& before) const {
  if (!chunked() || bytes.empty()) return {};
  std::array<char, 16> digits;
  const auto [end, failure] = std::to_chars(digits.begin(), digits.end(), bytes.size(), 16);
  before.append(digits.begin(), end).append("\r\n");
  return "\r\n";
}

asio::awaitable<Result<void>> ServerExchange::begin_stream(std::string_view content_type,
                                                           std::string_view headers,
                                                           std::string_view first) {
  assert(stage_ == Stage::nothing);
  if (stage_ != Stage::nothing) return send(std::string(), {}, {});
  std::string text = stream_head(content_type, headers);
  if (!has_body()) first = {};
  const std::string_view after = frame(first, text);
  return send(std::move(text), first, after);
}

asio::awaitable<Result<void>> ServerExchange::write(std::string_view bytes) {
  assert(stage_ == Stage::streaming);
  if (!has_body() || stage_ != Stage::streaming) bytes = {};
  std::string before;
  const std::string_view after = frame(bytes, before);
  return send(std::move(before), bytes, after);
}

asio::awaitable<Result<void>> ServerExchange::finish() {
  assert(stage_ == Stage::streaming);
  const bool last = stage_ == Stage::streaming && chunked() && has_body();
  stage_ = Stage::complete;
  return send(std::string(), last ? kLastChunk : std::string_view(), {});
}

asio::awaitable<Result<void>> ServerExchange::send(std::string before, std::string_view bytes,
                                                   std::string_view after) {
  Transport& transport = connection_.transport();
  if (!pending_.empty()) {
    before.insert(0, pending_);
    pending_.clear();
  }
  Pieces pieces(before, bytes, after);
  writing_ = true;
  co_await transport.write_together(pieces);
  Result<void> sent;
  if (pieces.size() > 0) {
    sent = co_await transport.write_steadily(pieces, connection_.state().limits.write_stall);
    if (!sent) transport.abort();
  } else if (!transport.usable()) {
    sent = fail(ErrorCode::cancelled, "connection was given up");
  }
  writing_ = false;
  co_return sent;
}

bool ServerExchange::send_now(std::string before, std::string_view bytes, std::string_view after) {
  Pieces pieces(before, bytes, after);
  if (pending_.empty()) pieces.drop_front(connection_.transport().write_now(pieces));
  for (const std::string_view part : pieces.parts()) pending_.append(part);
  return true;
}

bool ServerExchange::begin_stream_now(std::string_view content_type, std::string_view headers,
                                      std::string_view first) {
  if (writing_ || stage_ != Stage::nothing || first.size() > kPendingBytesMax) return false;
  std::string text = stream_head(content_type, headers);
  if (!has_body()) first = {};
  const std::string_view after = frame(first, text);
  return send_now(std::move(text), first, after);
}

bool ServerExchange::write_now(std::string_view bytes) {
  if (writing_ || stage_ != Stage::streaming) return false;
  if (pending_.size() + bytes.size() > kPendingBytesMax) return false;
  if (!has_body() || bytes.empty()) return true;
  std::string before;
  const std::string_view after = frame(bytes, before);
  return send_now(std::move(before), bytes, after);
}

}  // namespace nl::http
