#include "standby/cut_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "standby/token_counts.h"

namespace nl::standby {
namespace {

constexpr std::string_view kNewline = "\\n";

bool is_high_half(std::string_view escape) {
  return escape.size() >= 6 && (escape[2] == 'd' || escape[2] == 'D') &&
         (escape[3] == '8' || escape[3] == '9' || escape[3] == 'a' || escape[3] == 'A' ||
          escape[3] == 'b' || escape[3] == 'B');
}

// Bytes of the unit at the start of `rest` that must stay together.
std::size_t unit_size(std::string_view rest) {
  const auto lead = static_cast<unsigned char>(rest.front());
  std::size_t size = 1;
  if (lead == '\\') {
    size = 2;
    if (rest.size() >= 6 && rest[1] == 'u') {
      const bool pair = is_high_half(rest) && rest.substr(6).starts_with("\\u");
      size = pair ? 12 : 6;
    }
  } else if (lead >= 0xf0) {
    size = 4;
  } else if (lead >= 0xe0) {
    size = 3;
  } else if (lead >= 0xc0) {
    size = 2;
  }
  return std::min(size, rest.size());
}

}  // namespace

std::string_view beginning_of(std::string_view escaped, std::size_t bytes) {
  if (escaped.size() <= bytes) return escaped;
  std::size_t at = 0;
  std::size_t line = 0;
  while (at < escaped.size()) {
    const std::size_t unit = unit_size(escaped.substr(at));
    if (at + unit > bytes) break;
    if (escaped.substr(at).starts_with(kNewline)) line = at;
    at += unit;
  }
  return escaped.substr(0, line > bytes / 2 ? line : at);
}

std::string_view end_of(std::string_view escaped, std::size_t bytes) {
  if (escaped.size() <= bytes) return escaped;
  const std::size_t from = escaped.size() - bytes;
  // A blank is never part of anything longer.
  const std::size_t blank = escaped.rfind(' ', from);
  std::size_t at = blank == std::string_view::npos ? 0 : blank;
  while (at < from) at += unit_size(escaped.substr(at));
  std::string_view end = escaped.substr(std::min(at, escaped.size()));
  for (std::size_t i = 0; i < end.size() / 2; i += unit_size(end.substr(i))) {
    if (end.substr(i).starts_with(kNewline)) return end.substr(i + kNewline.size());
  }
  return end;
}

bool worth_cutting(std::string_view escaped, CutSize size) {
  constexpr std::size_t kNoteBytes = 64;
  return escaped.size() > (size.head + size.tail) * 3 / 2 + kNoteBytes;
}

std::string cut_middle(std::string_view escaped, CutSize size) {
  const std::string_view head = beginning_of(escaped, size.head);
  const std::string_view tail = end_of(escaped, size.tail);
  const std::string_view middle =
      escaped.substr(head.size(), escaped.size() - head.size() - tail.size());
  return fmt::format("{}\\n[... {} tokens left out ...]\\n{}", head, estimated_tokens(middle),
                     tail);
}

std::string_view first_words(std::string_view escaped, std::size_t bytes) {
  if (escaped.size() <= bytes) return escaped;
  const std::string_view part = beginning_of(escaped, bytes);
  std::size_t stop = part.rfind(". ");
  if (stop == std::string_view::npos) stop = part.rfind(".\\n");
  if (stop != std::string_view::npos && stop >= bytes / 4) return part.substr(0, stop + 1);
  const std::size_t word = part.rfind(' ');
  return word == std::string_view::npos || word < bytes / 2 ? part : part.substr(0, word);
}

}  // namespace nl::standby
