// GgufTensor: the description of one tensor in a GGUF header, and how many bytes it takes.
//
// Pure. Sizes are computed with overflow checks; a type that the engine does not know has no size.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "engine/gguf_reader.h"

namespace nl::engine {

struct GgufTensor {
  std::string name;
  std::uint64_t elements = 0;
  std::uint64_t bytes = 0;
  std::uint64_t offset = 0;  // from the beginning of the tensor data
};

// Reads one description. Errors: config.
Result<GgufTensor> read_tensor(GgufReader& reader);

}  // namespace nl::engine
