// Framer: an upstream's stream cut into the frames that a Reader of its dialect takes.
//
// Either framing behind one face, chosen by Dialect::framing(): feed bytes that arrive in any
// pieces, take frames until there is none, finish() at the end of the body. A frame's views die at
// the next call. Sans-I/O; one per answer, one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "base/error.h"
#include "dialect/ndjson.h"
#include "dialect/sse.h"

namespace nl::dialect {

// How a dialect's stream is cut: server-sent events, or one JSON value per line. In the second a
// frame is a line and has no event field.
enum class Framing : std::uint8_t { sse, ndjson };

class Framer {
 public:
  explicit Framer(Framing framing) {
    if (framing == Framing::ndjson) framer_.emplace<NdjsonFramer>();
  }

  // As in SseFramer and NdjsonFramer.
  Result<void> feed(std::string_view bytes) {
    return std::visit([&](auto& framer) { return framer.feed(bytes); }, framer_);
  }
  std::optional<SseFrame> next() {
    return std::visit([](auto& framer) { return framer.next(); }, framer_);
  }
  std::optional<SseFrame> finish() {
    return std::visit([](auto& framer) { return framer.finish(); }, framer_);
  }
  std::size_t pending_bytes() const {
    return std::visit([](const auto& framer) { return framer.pending_bytes(); }, framer_);
  }

 private:
  std::variant<SseFramer, NdjsonFramer> framer_;
};

}  // namespace nl::dialect
