#include "dialect/tool_id.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace nl::dialect {
namespace {

// FNV-1a: the same on every machine and in every version, which std::hash is not.
std::uint64_t hash(std::string_view bytes, std::uint64_t seed) {
  std::uint64_t value = 0xcbf29ce484222325ULL ^ seed;
  for (const char byte : bytes) {
    value ^= static_cast<unsigned char>(byte);
    value *= 0x100000001b3ULL;
  }
  return value;
}

bool is_id_char(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
         (byte >= '0' && byte <= '9') || byte == '_' || byte == '-';
}

}  // namespace

bool tool_id_fits(std::string_view id) {
  return !id.empty() && id.size() <= kToolIdBytesMax && std::ranges::all_of(id, is_id_char);
}

std::string fit_tool_id(chat::JsonText id) {
  if (tool_id_fits(id.escaped)) return std::string(id.escaped);
  // Hashed unescaped: a client may send the same id back with other escapes.
  const std::string content = id.utf8();
  return tool_id_fits(content) ? content
                               : fmt::format("call_{:016x}{:016x}", hash(content, 0),
                                             hash(content, 0x9e3779b97f4a7c15ULL));
}

}  // namespace nl::dialect
