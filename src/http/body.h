// BodyReader: where one message's body ends, for every framing; the same for requests and answers.
//
// Decodes in place like ChunkDecoder. Knows no I/O and no limits. Any thread.
#pragma once

#include <cstdint>
#include <span>

#include "base/error.h"
#include "http/chunk.h"
#include "http/head.h"

namespace nl::http {

class BodyReader {
 public:
  BodyReader() = default;
  BodyReader(Framing framing, std::uint64_t content_length)
      : framing_(framing), left_(framing == Framing::length ? content_length : 0) {}

  // Errors: protocol.
  Result<Decoded> decode(std::span<char> bytes);
  bool complete() const;
  // The stream ended. Errors: truncated, unless that is how this body ends.
  Result<void> end();
  // How many more bytes a body of known length has.
  std::uint64_t left() const { return left_; }

 private:
  Framing framing_ = Framing::none;
  bool ended_ = false;
  std::uint64_t left_ = 0;
  ChunkDecoder chunks_;
};

}  // namespace nl::http
