#include "engine/retries.h"

#include <algorithm>

namespace nl::engine {
namespace {

constexpr Duration kPauseMost = std::chrono::seconds(32);
// Whoever asks for more than this gets no silent wait: a person is in front of it.
constexpr Duration kAskedMost = std::chrono::minutes(5);

}  // namespace

bool may_pass(const Error& error) {
  switch (error.code) {
    case ErrorCode::dns:
    case ErrorCode::connect:
    case ErrorCode::tls:
    case ErrorCode::reset:
    case ErrorCode::timeout:
    case ErrorCode::truncated:
    case ErrorCode::protocol:
      return true;
    case ErrorCode::status:
      return error.status >= 500 || error.status == 403 || error.status == 408 ||
             error.status == 429;
    case ErrorCode::bad_request:
    case ErrorCode::too_large:
    case ErrorCode::unauthorized:
    case ErrorCode::forbidden:
    case ErrorCode::not_found:
    case ErrorCode::not_an_answer:
    case ErrorCode::empty_answer:
    case ErrorCode::stream_error:
    case ErrorCode::cancelled:
    case ErrorCode::exhausted:
    case ErrorCode::unsupported:
    case ErrorCode::config:
    case ErrorCode::io:
    case ErrorCode::internal:
      return false;
  }
  return false;
}

std::optional<Duration> Retries::pause_after(const Error& error) {
  if (++failed_ >= tries_ || !may_pass(error)) return std::nullopt;
  const Duration own = pause_;
  pause_ = std::min(pause_ * 2, kPauseMost);
  const Duration asked = std::chrono::seconds(error.retry_after);
  if (asked > kAskedMost) return std::nullopt;
  return std::max(own, asked);
}

void Retries::start_over() {
  failed_ = 0;
  pause_ = first_pause_;
}

}  // namespace nl::engine
