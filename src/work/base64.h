// base64: bytes as a dialect carries images in its JSON.
//
// Encodes only: what comes back from a model is text. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace nl::work {

// With padding, without line breaks.
std::string base64(std::string_view bytes);

}  // namespace nl::work
