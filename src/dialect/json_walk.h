// The validating walk: tokens of a JSON text to the tape of a Document.
//
// Checks the grammar, literals, numbers, depth and that nothing follows the value; what lies inside
// strings was checked by the scan (UTF-8, control characters) and is by JsonEscapes (backslashes).
// Writes at most one node per token and two more. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "dialect/json.h"
#include "dialect/json_fault.h"

namespace nl::dialect {

// `tokens` as JsonScan gives them: the entry behind its last one must be readable. `tape` has room
// for tokens.size() + 2 nodes.
std::optional<JsonFault> walk_json(std::string_view text, std::span<const std::uint32_t> tokens,
                                   JsonNode* tape);

}  // namespace nl::dialect
