// UpstreamCall: one request on one connection and the answer to it; the only implementation of
// Call.
//
// Client::send() drives it: write the request, read the head, hand it out. The connection leaves
// it for the pool as soon as the body is complete. Small bodies live in the buffer that the head
// came in; a larger one gets a bigger buffer for as long as reads fill it. Loop thread.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "http/body.h"
#include "http/cancel.h"
#include "http/client.h"
#include "http/pool.h"

namespace nl::http {

class UpstreamCall final : public Call {
 public:
  // `pool` is co-owned with the Client: the answer may be read after it is gone.
  UpstreamCall(std::shared_ptr<Pool> pool, std::unique_ptr<Connection> connection, Cancel& cancel);
  ~UpstreamCall() override;

  Transport& transport() { return connection_->transport(); }
  // True while not one byte of the answer has come.
  bool untouched() const { return untouched_; }
  // Waits for the final head. `method` must live until then. Errors: reset, timeout, protocol,
  // truncated, cancelled.
  asio::awaitable<Result<void>> read_head(std::string_view method, Instant until);

  const ResponseHead& head() const override { return head_; }
  asio::awaitable<Result<std::string_view>> read(Instant until) override;
  std::optional<Result<std::string_view>> read_now() override;
  bool complete() const override { return complete_; }
  bool reused() const override { return reused_; }

 private:
  // Parses a head if it is there whole: true = done. Skips interim answers.
  Result<bool> take_head(std::string_view method);
  // The decoded part of what is at hand; empty = more is needed or the body is complete.
  Result<std::string_view> take_piece();
  bool grow_head_buffer();
  std::span<char> room();
  void finish();
  Error broken(Error error);

  std::shared_ptr<Pool> pool_;
  std::unique_ptr<Connection> connection_;  // null once given back or broken
  ResponseHead head_;
  BodyReader body_;
  std::unique_ptr<char[]> head_buffer_;  // the head's bytes, then small pieces
  std::size_t head_capacity_ = Pool::kBufferBytes;
  std::size_t head_bytes_ = 0;
  std::unique_ptr<char[]> large_buffer_;
  std::size_t large_capacity_ = 0;
  char* at_hand_ = nullptr;  // undecoded bytes
  std::size_t at_hand_bytes_ = 0;
  std::size_t last_read_ = 0;
  int interim_answers_ = 0;
  bool untouched_ = true;
  bool complete_ = false;
  bool reused_;
  CancelScope scope_;
};

}  // namespace nl::http
