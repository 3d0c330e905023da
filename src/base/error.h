// Error: what happened, never what to do about it (router/verdict.h decides that).
//
// Every operation that can fail for reasons outside the program returns Result<T>. An Error carries
// the code, which side it came from and a message for people: lower case, no period, naming the
// key, path or target, never a secret. Values; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <utility>

namespace nl {

enum class ErrorCode : std::uint8_t {
  // The caller's request.
  bad_request,   // malformed HTTP, JSON or field; `status` says which 4xx
  too_large,     // over a named limit
  unauthorized,  // no or wrong credential for this gateway
  forbidden,     // foreign Host or Origin
  not_found,     // no such route
  // Reaching an upstream.
  dns,      // name does not resolve
  connect,  // refused, unreachable, timed out before a byte was sent
  tls,      // handshake or verification failed
  reset,    // the connection broke
  timeout,  // a named budget ran out
  // What an upstream said.
  status,         // an HTTP status other than 2xx; `status` has it
  not_an_answer,  // a 2xx that is no answer: HTML, redirect, garbage, wrong type
  empty_answer,   // a 2xx with no content in it
  truncated,      // ended without its terminal event
  stream_error,   // an error event inside a 2xx
  protocol,       // framing or dialect rules broken by the upstream
  // Ourselves.
  cancelled,    // the client went away
  exhausted,    // no target left, queue full, budget spent
  unsupported,  // this request cannot be expressed in the target's dialect
  config,       // a configuration mistake
  io,           // file or database
  internal,     // a bug
};

// The stable name of `code`, for logs and the ledger.
const char* name(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string message;
  // HTTP status the other side sent, or the one to answer with; 0 = none.
  int status = 0;
  // Seconds after which the other side says that it may be asked again; 0 = it does not say.
  int retry_after = 0;

  Error() = default;
  Error(ErrorCode error_code, std::string text, int http_status = 0)
      : code(error_code), message(std::move(text)), status(http_status) {}
};

template <typename T>
using Result = std::expected<T, Error>;

// Shorthand for the error arm of a Result.
inline std::unexpected<Error> fail(ErrorCode code, std::string message, int status = 0) {
  return std::unexpected<Error>(Error(code, std::move(message), status));
}

}  // namespace nl
