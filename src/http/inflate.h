// Inflater: undoes a content coding (gzip, deflate, br, zstd) piece by piece, within limits.
//
// Needed because a client's own accept-encoding goes to its own vendor unchanged. An answer that
// grows beyond `kInflatedBytesMax`, or more than 200-fold after the first 1 MiB, is refused as a
// bomb. A view of the output dies at the next call. One answer, one thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "base/error.h"

namespace nl::http {

inline constexpr std::size_t kInflatedBytesMax = 64u << 20;

class Inflater {
 public:
  virtual ~Inflater() = default;
  // The bytes that `piece` becomes; may be empty. Errors: protocol.
  virtual Result<std::string_view> feed(std::string_view piece) = 0;
  // Whether the coded stream ended properly.
  virtual bool complete() const = 0;
};

// For a Content-Encoding value: null for identity or none; protocol for one we cannot undo.
Result<std::unique_ptr<Inflater>> make_inflater(std::string_view content_encoding);

}  // namespace nl::http
