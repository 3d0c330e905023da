#include "work/pieces.h"

#include <fmt/format.h>

#include <algorithm>

namespace nl::work {
namespace {

enum class Shape : std::uint8_t { letter, digit, blank, sign, escape, wide };

Shape shape_of(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (byte >= 0x80) return Shape::wide;
  if ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z') return Shape::letter;
  if (byte >= '0' && byte <= '9') return Shape::digit;
  if (byte < 0x20 || byte == '"' || byte == '\\') return Shape::escape;
  return byte == ' ' ? Shape::blank : Shape::sign;
}

// Gemma's tokenizer takes digits one by one and words of a few letters whole; the rest is a guess
// on the safe side.
std::int64_t tokens_of_run(Shape shape, std::size_t length) {
  const auto bytes = static_cast<std::int64_t>(length);
  switch (shape) {
    case Shape::letter:
      return (bytes + 3) / 4;
    case Shape::digit:
      return bytes;
    case Shape::blank:
      return bytes > 1 ? 1 : 0;
    case Shape::escape:
      // On its way it is two characters, and the gateway counts it so.
      return 2 * bytes;
    case Shape::sign:
    case Shape::wide:
      return (bytes + 1) / 2;
  }
  return bytes;
}

bool inside_character(std::string_view text, std::size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0U) == 0x80U;
}

// Where a text of at most `tokens_max` tokens ends, without regard to words.
std::size_t hard_end(std::string_view text, std::size_t from, std::int64_t tokens_max) {
  std::int64_t tokens = 0;
  std::size_t at = from;
  while (at < text.size()) {
    const Shape shape = shape_of(text[at]);
    std::size_t end = at + 1;
    // A run is taken in steps: one without end must not make a part without end.
    while (end < text.size() && end - at < 64 && shape_of(text[end]) == shape) ++end;
    tokens += tokens_of_run(shape, end - at);
    if (tokens > tokens_max) break;
    at = end;
  }
  while (at > from && inside_character(text, at)) --at;
  if (at > from) return at;
  at = from + 1;
  while (inside_character(text, at)) ++at;
  return at;
}

}  // namespace

std::int64_t safe_tokens(std::string_view text) {
  std::int64_t tokens = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    const Shape shape = shape_of(text[at]);
    std::size_t end = at + 1;
    while (end < text.size() && end - at < 64 && shape_of(text[end]) == shape) ++end;
    tokens += tokens_of_run(shape, end - at);
    at = end;
  }
  return tokens;
}

std::size_t piece_end(std::string_view text, std::size_t from, std::int64_t tokens_max) {
  const std::size_t end = hard_end(text, from, tokens_max);
  if (end >= text.size()) return text.size();
  // So much of a part is given up for a better end.
  const std::size_t least = from + (end - from) * 3 / 4;
  const std::string_view tail = text.substr(least, end - least);
  for (const std::string_view mark : {"\f", "\n\n", "\n", ". ", " "}) {
    const std::size_t at = tail.rfind(mark);
    if (at != std::string_view::npos) return least + at + mark.size();
  }
  return end;
}

std::string place_at(const documents::Document& document, std::size_t offset) {
  const std::string_view before = std::string_view(document.text).substr(0, offset);
  if (document.kind == documents::Kind::image) return "the image";
  // A form feed stands between pages where the reader of the format tells them apart.
  const bool paged = document.text.find('\f') != std::string::npos;
  const char mark = document.kind == documents::Kind::pdf && paged ? '\f' : '\n';
  return fmt::format("{} {}", mark == '\f' ? "page" : "line",
                     std::count(before.begin(), before.end(), mark) + 1);
}

std::string place_of(const documents::Document& document, std::size_t from, std::size_t to) {
  const std::string first = place_at(document, from);
  const std::string last = place_at(document, to > from ? to - 1 : from);
  if (first == last) return first;
  return fmt::format("{}s {} to {}", first.substr(0, 4), first.substr(5), last.substr(5));
}

}  // namespace nl::work
