// The marks by which Gemma writes a call, and the reading of what stands between them.
//
// `<|tool_call>call:NAME{key:<|"|>text<|"|>,n:1}<tool_call|>`: names without quotes, strings
// between marks of their own. Plain JSON is read as well. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace nl::gateway {

inline constexpr std::string_view kCallMark = "<|tool_call>";
inline constexpr std::string_view kCallEnd = "<tool_call|>";
inline constexpr std::string_view kStringMark = "<|\"|>";

// The arguments at the start of `text` as JSON; nothing where they are none or break off.
std::optional<std::string> read_marked_arguments(std::string_view text);

}  // namespace nl::gateway
