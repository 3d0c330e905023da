#include "sheet/sheet_text.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace nl::sheet {
namespace {

// A column is as wide as its widest text measured whole; the sum of its words may differ by a hair.
constexpr double kRounding = 1e-6;

struct Decoded {
  char32_t point = 0;
  std::size_t bytes = 1;
};

// The code point at the start of `text`; nothing when it is no UTF-8 (overlong, surrogate, cut).
std::optional<Decoded> decode(std::string_view text) {
  const auto byte = [text](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return Decoded{first, 1};
  const std::size_t bytes = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < bytes) return std::nullopt;
  char32_t point = first & (0xFFU >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return std::nullopt;
    point = point << 6U | (byte(i) & 0x3FU);
  }
  const bool overlong = (bytes == 3 && point < 0x800) || (bytes == 4 && point < 0x10000);
  if (overlong || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) return std::nullopt;
  return Decoded{point, bytes};
}

using Range = std::pair<char32_t, char32_t>;

bool in_any(char32_t point, const auto& ranges) {
  return std::ranges::any_of(ranges, [point](const Range& range) {
    return point >= range.first && point <= range.second;
  });
}

// Controls, line separators, marks of direction, and what has no place in text at all.
bool is_unsafe(char32_t point) {
  constexpr std::array<Range, 7> kUnsafe = {{{0, 0x1F},
                                             {0x7F, 0x9F},
                                             {0x200B, 0x200F},
                                             {0x2028, 0x202E},
                                             {0x2060, 0x206F},
                                             {0xFEFF, 0xFEFF},
                                             {0xFFF9, 0xFFFB}}};
  return in_any(point, kUnsafe);
}

int columns_of(char32_t point) {
  constexpr std::array<Range, 3> kCombining = {
      {{0x300, 0x36F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}}};
  constexpr std::array<Range, 7> kWide = {{{0x1100, 0x115F},
                                           {0x2E80, 0xA4CF},
                                           {0xAC00, 0xD7A3},
                                           {0xF900, 0xFAFF},
                                           {0xFF00, 0xFF60},
                                           {0x1F300, 0x1FAFF},
                                           {0x20000, 0x3FFFD}}};
  if (in_any(point, kCombining)) return 0;
  return in_any(point, kWide) ? 2 : 1;
}

// The longest beginning of `word` within `width`, at least one code point.
std::size_t beginning(std::string_view word, double width, const Measure& measure) {
  std::size_t end = 0;
  double used = 0;
  while (end < word.size()) {
    const auto next = decode(word.substr(end));
    const std::size_t bytes = next ? next->bytes : 1;
    used += measure(word.substr(end, bytes));
    if (end > 0 && used > width) break;
    end += bytes;
  }
  return end;
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (end > 0) words.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

}  // namespace

std::string clean(std::string_view text) {
  std::string out;
  std::size_t count = 0;
  while (!text.empty()) {
    if (++count > kCellCharactersMax) return out + "...";
    const auto next = decode(text);
    if (!next) {
      out += '?';
    } else if (is_unsafe(next->point)) {
      out += ' ';
    } else {
      out += text.substr(0, next->bytes);
    }
    text.remove_prefix(next ? next->bytes : 1);
  }
  return out;
}

std::vector<char32_t> code_points(std::string_view text) {
  std::vector<char32_t> points;
  while (!text.empty()) {
    const auto next = decode(text);
    points.push_back(next ? next->point : U'?');
    text.remove_prefix(next ? next->bytes : 1);
  }
  return points;
}

std::size_t terminal_columns(std::string_view text) {
  std::size_t columns = 0;
  for (const char32_t point : code_points(text)) {
    columns += static_cast<std::size_t>(columns_of(point));
  }
  return columns;
}

std::vector<std::string> wrap(std::string_view text, double width, const Measure& measure) {
  std::vector<std::string> lines(1);
  const double space = measure(" ");
  double used = 0;  // of the last line
  for (std::string_view word : words_of(text)) {
    double wide = measure(word);
    if (!lines.back().empty() && used + space + wide <= width + kRounding) {
      lines.back().append(" ").append(word);
      used += space + wide;
      continue;
    }
    if (!lines.back().empty()) lines.emplace_back();
    while (wide > width + kRounding) {
      const std::size_t end = beginning(word, width, measure);
      if (end >= word.size()) break;
      lines.back() = word.substr(0, end);
      lines.emplace_back();
      word.remove_prefix(end);
      wide = measure(word);
    }
    lines.back() = word;
    used = wide;
  }
  return lines;
}

double widest_word(std::string_view text, const Measure& measure) {
  double widest = 0;
  for (const std::string_view word : words_of(text)) widest = std::max(widest, measure(word));
  return widest;
}

}  // namespace nl::sheet
