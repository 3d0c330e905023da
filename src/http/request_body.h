// RequestBody: one request's whole body, read under the server's limits.
//
// A body that came with its head stays where it is; a larger one gets memory of its own, taken from
// the shared budget as it grows. Too slow, too large, malformed or out of memory ends it with the
// status to answer. Gives its memory back when destroyed. Loop thread.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "base/error.h"
#include "http/body.h"
#include "http/body_memory.h"
#include "http/input.h"
#include "http/server.h"
#include "http/transport.h"

namespace nl::http {

class RequestBody {
 public:
  RequestBody(const RequestHead& head, const ServerLimits& limits, BodyMemory& memory);
  ~RequestBody();
  RequestBody(const RequestBody&) = delete;
  RequestBody& operator=(const RequestBody&) = delete;

  // Takes what is in `input` already. True = that was all of it. Errors: as read().
  Result<bool> take_from(Input& input);
  // Reads the rest. Errors: too_large 413, timeout 408, exhausted 503, protocol 400, reset.
  asio::awaitable<Result<void>> read(Transport& transport);

  std::string_view bytes() const { return view_; }
  // What read() got from behind the body: the beginning of a next request.
  std::string_view behind() const { return behind_; }

 private:
  struct Free {
    void operator()(char* memory) const;
  };

  std::size_t next_capacity() const;
  asio::awaitable<Result<void>> grow(Loop& loop);
  Result<void> reallocate(std::size_t capacity);

  const ServerLimits& limits_;
  BodyMemory& memory_;
  BodyReader reader_;
  std::string_view view_;
  std::string_view behind_;
  std::unique_ptr<char, Free> storage_;
  std::size_t capacity_ = 0;
  std::size_t size_ = 0;
};

}  // namespace nl::http
