#include "base/error.h"

namespace nl {

const char* name(ErrorCode code) {
  switch (code) {
    case ErrorCode::bad_request:
      return "bad_request";
    case ErrorCode::too_large:
      return "too_large";
    case ErrorCode::unauthorized:
      return "unauthorized";
    case ErrorCode::forbidden:
      return "forbidden";
    case ErrorCode::not_found:
      return "not_found";
    case ErrorCode::dns:
      return "dns";
    case ErrorCode::connect:
      return "connect";
    case ErrorCode::tls:
      return "tls";
    case ErrorCode::reset:
      return "reset";
    case ErrorCode::timeout:
      return "timeout";
    case ErrorCode::status:
      return "status";
    case ErrorCode::not_an_answer:
      return "not_an_answer";
    case ErrorCode::empty_answer:
      return "empty_answer";
    case ErrorCode::truncated:
      return "truncated";
    case ErrorCode::stream_error:
      return "stream_error";
    case ErrorCode::protocol:
      return "protocol";
    case ErrorCode::cancelled:
      return "cancelled";
    case ErrorCode::exhausted:
      return "exhausted";
    case ErrorCode::unsupported:
      return "unsupported";
    case ErrorCode::config:
      return "config";
    case ErrorCode::io:
      return "io";
    case ErrorCode::internal:
      return "internal";
  }
  return "internal";
}

}  // namespace nl
