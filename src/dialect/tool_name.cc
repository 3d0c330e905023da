#include "dialect/tool_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace nl::dialect {
namespace {

constexpr std::size_t kHashDigits = 8;

bool is_name_char(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
         (byte >= '0' && byte <= '9') || byte == '_' || byte == '-';
}

bool fits(std::string_view name) {
  return !name.empty() && name.size() <= kToolNameBytesMax &&
         std::ranges::all_of(name, is_name_char);
}

// FNV-1a: the same on every machine and in every version, which std::hash is not.
std::uint32_t hash(std::string_view bytes) {
  std::uint32_t value = 0x811c9dc5U;
  for (const char byte : bytes) {
    value ^= static_cast<unsigned char>(byte);
    value *= 0x01000193U;
  }
  return value;
}

}  // namespace

std::string fit_tool_name(chat::JsonText name) {
  if (fits(name.escaped)) return std::string(name.escaped);
  std::string text = name.utf8();
  if (fits(text)) return text;
  const std::uint32_t digest = hash(text);
  std::ranges::replace_if(
      text, [](char byte) { return !is_name_char(byte); }, '_');
  text.resize(std::min(text.size(), kToolNameBytesMax - kHashDigits - 1));
  return fmt::format("{}_{:08x}", text, digest);
}

chat::JsonText restore_tool_name(const chat::Request& request, chat::JsonText wire) {
  for (const chat::Tool& tool : request.tools) {
    if (tool.name.escaped == wire.escaped) return tool.name;
  }
  for (const chat::Tool& tool : request.tools) {
    if (!fits(tool.name.escaped) && fit_tool_name(tool.name) == wire.escaped) return tool.name;
  }
  return wire;
}

}  // namespace nl::dialect
