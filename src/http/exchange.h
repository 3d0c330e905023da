// ServerExchange: one request being answered, over plain bytes; the only implementation of
// Exchange.
//
// Composes heads and chunks and writes each with one system call where the kernel takes it. Lives
// in the coroutine of its connection. Loop thread.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "http/connection.h"
#include "http/server.h"

namespace nl::http {

// The head of an answer. Neither length nor chunks: there is no body, or it ends the connection.
struct AnswerHead {
  int status = 200;
  std::string_view content_type;
  std::string_view lines;                                        // header lines with CRLF each
  std::span<const std::pair<std::string, std::string>> headers;  // further ones
  std::optional<std::size_t> content_length;
  bool chunked = false;
  bool keep_alive = true;
  int minor_version = 1;
};
std::string compose_answer_head(const AnswerHead& head, ServerState& state);
// What `answer` says of itself in it.
AnswerHead head_of(const Answer& answer);

class ServerExchange final : public Exchange {
 public:
  ServerExchange(ServerConnection& connection, const RequestHead& head, std::string_view body)
      : connection_(connection), head_(head), body_(body) {}

  const RequestHead& head() const override { return head_; }
  std::string_view body() const override { return body_; }
  std::string_view local_address() const override { return connection_.local_address(); }
  std::string_view peer_address() const override { return connection_.peer_address(); }
  Loop& loop() override { return connection_.state().loop; }

  asio::awaitable<Result<void>> respond(const Answer& answer) override;
  asio::awaitable<Result<void>> begin_stream(std::string_view content_type,
                                             std::string_view headers,
                                             std::string_view first) override;
  asio::awaitable<Result<void>> write(std::string_view bytes) override;
  bool begin_stream_now(std::string_view content_type, std::string_view headers,
                        std::string_view first) override;
  bool write_now(std::string_view bytes) override;
  asio::awaitable<Result<void>> finish() override;
  void abort() override { connection_.transport().abort(); }

  bool head_sent() const override { return stage_ != Stage::nothing; }
  bool client_gone() override { return connection_.transport().peer_state() == PeerState::gone; }
  void close_after() override { close_after_ = true; }

  // Whether the answer is complete and the connection may serve another request.
  bool complete() const { return stage_ == Stage::complete && pending_.empty(); }
  bool keep_alive() const;

 private:
  enum class Stage : std::uint8_t { nothing, streaming, complete };

  bool has_body() const { return head_.method != "HEAD"; }
  bool chunked() const { return head_.minor_version == 1; }
  std::string stream_head(std::string_view content_type, std::string_view headers);
  // What stands before and after `bytes` on the wire, appended to `before`.
  std::string_view frame(std::string_view bytes, std::string& before) const;
  asio::awaitable<Result<void>> send(std::string before, std::string_view bytes,
                                     std::string_view after);
  bool send_now(std::string before, std::string_view bytes, std::string_view after);

  ServerConnection& connection_;
  const RequestHead& head_;
  std::string_view body_;
  std::string pending_;  // from send_now: goes before the next send()
  Stage stage_ = Stage::nothing;
  bool writing_ = false;
  bool close_after_ = false;
};

}  // namespace nl::http
