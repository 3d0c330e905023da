// JsonEscapes: where the backslashes of a JSON text are, and whether each begins a valid escape.
//
// One pass over the whole text, 64 bytes at a time, so that a string without a backslash costs
// nothing of its own: an escape outside a string is already refused by the walk. A lone surrogate
// is a valid escape here. One thread; reuse it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "dialect/json_fault.h"

namespace nl::dialect {

// Whether a \\ud... or \\uD... may stand in `json`, which is the beginning of every escaped
// surrogate. Quick, and never wrong about "no".
bool may_hold_surrogate(std::string_view json);

class JsonEscapes {
 public:
  std::optional<JsonFault> run(std::string_view text);
  // True when a backslash stands in [begin, end) of the text.
  bool any(std::size_t begin, std::size_t end) const;
  // Gives the map back if it is larger than kJsonKeptBytesMax.
  void trim();

 private:
  std::vector<std::uint64_t> backslashes_;  // one bit a byte
};

}  // namespace nl::dialect
