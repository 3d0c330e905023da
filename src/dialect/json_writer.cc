#include "dialect/json_writer.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <iterator>
#include <optional>

#include "dialect/json_escapes.h"

namespace nl::dialect {
namespace {

// The UTF-16 unit of the escape \uXXXX at `at`, which points at the backslash.
std::optional<unsigned> escaped_unit(std::string_view json, std::size_t at) {
  if (at + 6 > json.size() || json[at] != '\\' || json[at + 1] != 'u') return std::nullopt;
  unsigned unit = 0;
  const char* begin = json.data() + at + 2;
  const auto read = std::from_chars(begin, begin + 4, unit, 16);
  if (read.ec != std::errc() || read.ptr != begin + 4) return std::nullopt;
  return unit;
}

bool is_high(std::optional<unsigned> unit) {
  return unit && *unit >= 0xD800 && *unit < 0xDC00;
}
bool is_low(std::optional<unsigned> unit) {
  return unit && *unit >= 0xDC00 && *unit < 0xE000;
}

}  // namespace

bool JsonWriter::needs_comma() const {
  if (out_.size() == start_) return false;
  switch (out_.back()) {
    case '{':
    case '[':
    case ':':
    case ',':
      return false;
    default:
      return true;
  }
}

// One growth for all that belongs together: a body is made of some hundred such pieces.
template <typename Fill>
JsonWriter& JsonWriter::put(std::size_t bytes, Fill fill) {
  const std::size_t before = out_.size();
  const bool comma = needs_comma();
  const std::size_t after = before + (comma ? 1 : 0) + bytes;
  // The size that is handed in may be a larger one, which the library has made room for.
  out_.resize_and_overwrite(after, [&](char* text, std::size_t) {
    char* at = text + before;
    if (comma) *at++ = ',';
    fill(at);
    return after;
  });
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  return put(name.size() + 3, [name](char* at) {
    *at++ = '"';
    at += name.copy(at, name.size());
    *at++ = '"';
    *at = ':';
  });
}

JsonWriter& JsonWriter::text(chat::JsonText value) {
  return put(value.escaped.size() + 2, [value](char* at) {
    *at++ = '"';
    at += value.escaped.copy(at, value.escaped.size());
    *at = '"';
  });
}

JsonWriter& JsonWriter::string(std::string_view utf8) {
  raw({"\""});
  chat::append_escaped(out_, utf8);
  return append('"');
}

JsonWriter& JsonWriter::raw(chat::JsonRaw value) {
  return put(value.json.size(), [value](char* at) { value.json.copy(at, value.json.size()); });
}

JsonWriter& JsonWriter::integer(std::int64_t value) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  return raw({std::string_view(digits.data(), end)});
}

JsonWriter& JsonWriter::number(double value) {
  raw({""});
  fmt::format_to(std::back_inserter(out_), "{}", value);
  return *this;
}

JsonWriter& JsonWriter::members(std::string_view raw_members) {
  return raw_members.empty() ? *this : raw({raw_members});
}

std::string repair_surrogates(std::string json) {
  if (!may_hold_surrogate(json)) return json;
  std::size_t at = json.find('\\');
  while (at != std::string::npos) {
    const auto unit = escaped_unit(json, at);
    std::size_t length = unit ? 6 : 2;
    if (is_high(unit) && is_low(escaped_unit(json, at + 6))) {
      length = 12;
    } else if (is_high(unit) || is_low(unit)) {
      json.replace(at, 6, "\\ufffd");
    }
    at = json.find('\\', at + length);
  }
  return json;
}

}  // namespace nl::dialect
