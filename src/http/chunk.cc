#include "http/chunk.h"

#include <algorithm>
#include <cstring>

#include "http/fields.h"
#include "http/head.h"

namespace nl::http {
namespace {

// An endless stream may carry a short extension on each chunk; only what is beyond this adds up.
constexpr std::size_t kExtensionBytesFree = 16;

// Fields that may not come after the body (RFC 9110 section 6.5.1).
constexpr std::string_view kForbiddenTrailers[] = {
    "host",          "content-length", "transfer-encoding", "content-type", "content-encoding",
    "authorization", "trailer",        "connection",        "expect",       "te",
    "x-api-key",     "cookie",         "content-range",     "upgrade",      "cache-control"};

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_text(char c) {
  return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
}

}  // namespace

Result<Decoded> ChunkDecoder::decode(std::span<char> bytes) {
  Decoded found;
  while (found.consumed < bytes.size() && state_ != State::complete) {
    if (state_ == State::data) {
      const std::size_t here = bytes.size() - found.consumed;
      const std::size_t part = left_ < here ? static_cast<std::size_t>(left_) : here;
      if (found.data != found.consumed) {
        std::memmove(bytes.data() + found.data, bytes.data() + found.consumed, part);
      }
      found.data += part;
      found.consumed += part;
      left_ -= part;
      if (left_ == 0) state_ = State::data_cr;
      continue;
    }
    const char* const wrong = take(bytes[found.consumed]);
    if (wrong != nullptr) {
      state_ = State::failed;
      return fail(ErrorCode::protocol, wrong, 400);
    }
    ++found.consumed;
  }
  return found;
}

const char* ChunkDecoder::take(char byte) {
  switch (state_) {
    case State::size:
      return take_size(byte);
    case State::extension:
      if (byte == '\r') {
        state_ = State::size_lf;
        return nullptr;
      }
      if (++extension_bytes_ > kChunkExtensionBytesMax) return "chunk extensions are too long";
      return is_text(byte) ? nullptr : "control character in a chunk extension";
    case State::size_lf:
      if (byte != '\n') return "chunk size line without an end";
      extension_bytes_ -= std::min(extension_bytes_, kExtensionBytesFree);
      state_ = left_ == 0 ? State::trailer : State::data;
      return nullptr;
    case State::data_cr:
      if (byte != '\r') return "chunk longer than its size";
      state_ = State::data_lf;
      return nullptr;
    case State::data_lf:
      if (byte != '\n') return "chunk without an end";
      state_ = State::size;
      digits_ = 0;
      return nullptr;
    case State::trailer:
      return take_trailer(byte);
    case State::trailer_lf:
      if (byte != '\n') return "trailer line without an end";
      return end_trailer();
    case State::end_lf:
      if (byte != '\n') return "chunked body without an end";
      state_ = State::complete;
      return nullptr;
    case State::failed:
      return "chunked body is broken";
    case State::data:
    case State::complete:
      break;
  }
  return "chunked body is over";
}

const char* ChunkDecoder::take_size(char byte) {
  const int value = hex_value(byte);
  if (value >= 0) {
    if (digits_ == 16) return "chunk size is too large";
    left_ = digits_ == 0 ? 0 : left_;
    left_ = left_ * 16 + static_cast<std::uint64_t>(value);
    ++digits_;
    return nullptr;
  }
  if (digits_ == 0) return "chunk size is missing";
  if (byte == '\r') {
    state_ = State::size_lf;
    return nullptr;
  }
  if (byte == ';') {
    state_ = State::extension;
    return ++extension_bytes_ > kChunkExtensionBytesMax ? "chunk extensions are too long" : nullptr;
  }
  return "malformed chunk size";
}

const char* ChunkDecoder::take_trailer(char byte) {
  if (byte == '\r') {
    state_ = trailer_.empty() ? State::end_lf : State::trailer_lf;
    return nullptr;
  }
  if (++trailer_bytes_ > kTrailerBytesMax) return "trailers are too long";
  if (!is_text(byte)) return "control character in a trailer";
  trailer_.push_back(byte);
  return nullptr;
}

const char* ChunkDecoder::end_trailer() {
  const std::string_view line = trailer_;
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
    return "malformed trailer";
  }
  const std::string_view name = line.substr(0, colon);
  const bool forbidden =
      std::any_of(std::begin(kForbiddenTrailers), std::end(kForbiddenTrailers),
                  [name](std::string_view other) { return same_name(name, other); });
  if (forbidden) return "field that may not be a trailer";
  trailer_.clear();
  state_ = State::trailer;
  return nullptr;
}

}  // namespace nl::http
