// ChunkDecoder: finds the data in a chunked body, however its bytes arrive.
//
// decode() moves the data of all chunks in the given bytes to their front, so that one read becomes
// one piece. Strict: sizes of 1 to 16 hex digits, CRLF everywhere, extensions and trailers bounded,
// free of control characters and dropped; a trailer that would have changed framing or routing is
// refused. Afterwards the decoder is complete, or failed for good. One body each; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/error.h"

namespace nl::http {

// Of one whole body, beyond the few bytes that each chunk may have.
inline constexpr std::size_t kChunkExtensionBytesMax = 1024;
inline constexpr std::size_t kTrailerBytesMax = 8 * 1024;

// What a body decoder found in some bytes.
struct Decoded {
  std::size_t data = 0;      // bytes of body, now at the front
  std::size_t consumed = 0;  // bytes that belong to this message; less than given only at its end
};

class ChunkDecoder {
 public:
  // Errors: protocol.
  Result<Decoded> decode(std::span<char> bytes);
  bool complete() const { return state_ == State::complete; }

 private:
  enum class State : std::uint8_t {
    size,
    extension,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer,
    trailer_lf,
    end_lf,
    complete,
    failed
  };
  // Takes one byte of framing; nullptr or what is wrong.
  const char* take(char byte);
  const char* take_size(char byte);
  const char* take_trailer(char byte);
  const char* end_trailer();

  State state_ = State::size;
  std::uint8_t digits_ = 0;
  std::uint64_t left_ = 0;  // of this chunk: its size while that is read, then its data
  std::size_t extension_bytes_ = 0;
  std::size_t trailer_bytes_ = 0;
  std::string trailer_;  // the line being read
};

}  // namespace nl::http
