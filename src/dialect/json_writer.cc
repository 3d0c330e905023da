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

JsonWriter& JsonWriter::separate() {
  if (out_.size() == start_) return *this;
  switch (out_.back()) {
    case '{':
    case '[':
    case ':':
    case ',':
      return *this;
    default:
      return append(',');
  }
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  out_ += '"';
  out_ += name;
  out_ += "\":";
  return *this;
}

JsonWriter& JsonWriter::text(chat::JsonText value) {
  separate();
  out_ += '"';
  out_ += value.escaped;
  out_ += '"';
  return *this;
}

JsonWriter& JsonWriter::string(std::string_view utf8) {
  separate();
  out_ += '"';
  chat::append_escaped(out_, utf8);
  out_ += '"';
  return *this;
}

JsonWriter& JsonWriter::raw(chat::JsonRaw value) {
  separate();
  out_ += value.json;
  return *this;
}

JsonWriter& JsonWriter::integer(std::int64_t value) {
  separate();
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out_.append(digits.data(), end);
  return *this;
}

JsonWriter& JsonWriter::number(double value) {
  separate();
  fmt::format_to(std::back_inserter(out_), "{}", value);
  return *this;
}

JsonWriter& JsonWriter::members(std::string_view raw_members) {
  if (raw_members.empty()) return *this;
  separate();
  out_ += raw_members;
  return *this;
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
