#include "documents/text_encoding.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace nl::documents {
namespace {

constexpr char32_t kReplacement = 0xFFFD;
constexpr std::string_view kReplacementBytes = "\xEF\xBF\xBD";

unsigned char byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}

struct Step {
  char32_t code = kReplacement;
  std::size_t bytes = 1;
  bool valid = false;
};

// The character at the start of `bytes`, which is not empty. What is not UTF-8 is one byte long.
Step step(std::string_view bytes) {
  const unsigned char lead = byte_at(bytes, 0);
  if (lead < 0x80) return {lead, 1, true};
  std::size_t length = 0;
  if (lead >= 0xC2 && lead <= 0xDF) length = 2;
  if (lead >= 0xE0 && lead <= 0xEF) length = 3;
  if (lead >= 0xF0 && lead <= 0xF4) length = 4;
  if (length == 0 || bytes.size() < length) return {};
  char32_t code = lead & (0xFFU >> (length + 1));
  for (std::size_t at = 1; at < length; ++at) {
    const unsigned char next = byte_at(bytes, at);
    if ((next & 0xC0U) != 0x80U) return {};
    code = (code << 6U) | (next & 0x3FU);
  }
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (overlong || surrogate || code > 0x10FFFF) return {};
  return {code, length, true};
}

enum class Order : std::uint8_t { little, big };

char32_t unit_at(std::string_view bytes, std::size_t width, Order order) {
  char32_t code = 0;
  for (std::size_t at = 0; at < width; ++at) {
    const std::size_t place = order == Order::big ? at : width - 1 - at;
    code = (code << 8U) | byte_at(bytes, place);
  }
  return code;
}

void append_counted(Repaired& made, char32_t code) {
  const bool bad = code == 0 || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF);
  if (bad) ++made.replaced;
  append_utf8(made.text, bad ? kReplacement : code);
}

Repaired from_utf_32(std::string_view bytes, Order order) {
  Repaired made;
  for (; bytes.size() >= 4; bytes.remove_prefix(4)) {
    append_counted(made, unit_at(bytes.substr(0, 4), 4, order));
  }
  if (!bytes.empty()) append_counted(made, 0);
  return made;
}

Repaired from_utf_16(std::string_view bytes, Order order) {
  Repaired made;
  made.text.reserve(bytes.size() / 2);
  while (bytes.size() >= 2) {
    char32_t code = unit_at(bytes.substr(0, 2), 2, order);
    bytes.remove_prefix(2);
    if (code >= 0xD800 && code <= 0xDBFF && bytes.size() >= 2) {
      const char32_t low = unit_at(bytes.substr(0, 2), 2, order);
      if (low >= 0xDC00 && low <= 0xDFFF) {
        code = 0x10000 + ((code - 0xD800) << 10U) + (low - 0xDC00);
        bytes.remove_prefix(2);
      }
    }
    append_counted(made, code);
  }
  if (!bytes.empty()) append_counted(made, 0);
  return made;
}

std::string replaced_note(std::string_view encoding, std::size_t replaced) {
  if (replaced == 0) return "";
  return fmt::format("{} {} not {} and {} replaced", replaced,
                     replaced == 1 ? "character is" : "characters are", encoding,
                     replaced == 1 ? "was" : "were");
}

Decoded noted(Repaired made, std::string_view encoding) {
  std::string note = replaced_note(encoding, made.replaced);
  return {std::move(made.text), std::move(note)};
}

// UTF-16 of mostly Latin text without a mark: every other byte is zero.
struct Zeros {
  std::size_t even = 0;
  std::size_t odd = 0;
  std::size_t pairs = 0;
};
Zeros zeros_of(std::string_view bytes) {
  Zeros zeros;
  const std::size_t size = std::min<std::size_t>(bytes.size(), 4096) / 2 * 2;
  for (std::size_t at = 0; at < size; at += 2) {
    zeros.even += bytes[at] == '\0' ? 1U : 0U;
    zeros.odd += bytes[at + 1] == '\0' ? 1U : 0U;
    ++zeros.pairs;
  }
  return zeros;
}

struct Census {
  std::size_t several = 0;  // valid characters of more than one byte
  std::size_t invalid = 0;
};
Census census_of(std::string_view bytes) {
  Census census;
  while (!bytes.empty()) {
    const Step now = step(bytes);
    if (!now.valid) ++census.invalid;
    if (now.bytes > 1) ++census.several;
    bytes.remove_prefix(now.bytes);
  }
  return census;
}

bool invisible(char32_t code) {
  return code == 0xAD || code == 0x61C || (code >= 0x200B && code <= 0x200F) ||
         (code >= 0x202A && code <= 0x202E) || (code >= 0x2060 && code <= 0x206F) ||
         code == 0xFEFF || (code >= 0xFFF9 && code <= 0xFFFB) ||
         (code >= 0xE0000 && code <= 0xE0FFF);
}

bool control(char32_t code) {
  return code < 0x20 || (code >= 0x7F && code <= 0x9F);
}

bool blank(char32_t code) {
  return code == ' ' || code == '\t' || code == '\n' || code == '\r' || code == 0xA0 ||
         code == 0x2028 || code == 0x2029 || code == 0x85;
}

// 0x80 to 0x9F; the five that mean nothing are U+FFFD.
constexpr std::array<char16_t, 32> kWindows1252 = {
    0x20AC, 0xFFFD, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0xFFFD, 0x017D, 0xFFFD, 0xFFFD, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0xFFFD, 0x017E, 0x0178};

}  // namespace

void append_utf8(std::string& text, char32_t code) {
  if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) code = kReplacement;
  if (code < 0x80) {
    text += static_cast<char>(code);
    return;
  }
  std::size_t length = 2;
  if (code >= 0x800) length = 3;
  if (code >= 0x10000) length = 4;
  const std::array<unsigned, 5> marks = {0, 0, 0xC0, 0xE0, 0xF0};
  text += static_cast<char>(marks[length] | (code >> (6 * (length - 1))));
  for (std::size_t left = length - 1; left > 0; --left) {
    text += static_cast<char>(0x80U | ((code >> (6 * (left - 1))) & 0x3FU));
  }
}

Repaired repair_utf8(std::string_view bytes) {
  Repaired made;
  made.text.reserve(bytes.size());
  while (!bytes.empty()) {
    const Step now = step(bytes);
    if (now.valid && now.code != 0) {
      made.text += bytes.substr(0, now.bytes);
    } else {
      made.text += kReplacementBytes;
      ++made.replaced;
    }
    bytes.remove_prefix(now.bytes);
  }
  return made;
}

std::string from_windows_1252(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  for (const char each : bytes) {
    const auto byte = static_cast<unsigned char>(each);
    const bool special = byte >= 0x80 && byte <= 0x9F;
    append_utf8(text, byte == 0 ? kReplacement : special ? kWindows1252.at(byte - 0x80U) : byte);
  }
  return text;
}

Decoded decode_text(std::string_view bytes) {
  using std::string_view_literals::operator""sv;
  if (bytes.starts_with("\xEF\xBB\xBF"sv)) {
    return noted(repair_utf8(bytes.substr(3)), "UTF-8");
  }
  if (bytes.starts_with("\xFF\xFE\0\0"sv)) {
    return noted(from_utf_32(bytes.substr(4), Order::little), "UTF-32");
  }
  if (bytes.starts_with("\0\0\xFE\xFF"sv)) {
    return noted(from_utf_32(bytes.substr(4), Order::big), "UTF-32");
  }
  if (bytes.starts_with("\xFF\xFE"sv)) {
    return noted(from_utf_16(bytes.substr(2), Order::little), "UTF-16");
  }
  if (bytes.starts_with("\xFE\xFF"sv)) {
    return noted(from_utf_16(bytes.substr(2), Order::big), "UTF-16");
  }
  const Zeros zeros = zeros_of(bytes);
  const std::size_t many = zeros.pairs * 4 / 10;
  const std::size_t few = zeros.pairs / 50;
  if (zeros.pairs >= 4 && zeros.odd > many && zeros.even <= few) {
    return noted(from_utf_16(bytes, Order::little), "UTF-16");
  }
  if (zeros.pairs >= 4 && zeros.even > many && zeros.odd <= few) {
    return noted(from_utf_16(bytes, Order::big), "UTF-16");
  }
  const Census census = census_of(bytes);
  if (census.invalid <= census.several) return noted(repair_utf8(bytes), "UTF-8");
  return {from_windows_1252(bytes), "not UTF-8; read as Windows-1252"};
}

std::string_view cut_utf8(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && (byte_at(text, end) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end);
}

std::string one_line(std::string_view bytes, std::size_t bytes_max) {
  std::string line;
  bool gap = false;
  while (!bytes.empty() && line.size() <= bytes_max) {
    const Step now = step(bytes);
    bytes.remove_prefix(now.bytes);
    if (blank(now.code)) {
      gap = !line.empty();
      continue;
    }
    if (now.valid && invisible(now.code)) continue;
    if (gap) line += ' ';
    gap = false;
    append_utf8(line, control(now.code) ? kReplacement : now.code);
  }
  if (line.size() <= bytes_max) return line;
  const std::string_view dots = "...";
  line = cut_utf8(line, bytes_max > dots.size() ? bytes_max - dots.size() : 0);
  return line.append(dots);
}

std::string plain_lines(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    const Step now = step(bytes);
    const std::string_view character = bytes.substr(0, now.bytes);
    bytes.remove_prefix(now.bytes);
    if (now.code == '\r' && bytes.starts_with('\n')) continue;
    if (now.code == '\r' || now.code == 0x2028 || now.code == 0x2029 || now.code == 0x85) {
      text += '\n';
    } else if (!now.valid || (control(now.code) && now.code != '\n' && now.code != '\t')) {
      text += kReplacementBytes;
    } else {
      text += character;
    }
  }
  return text;
}

}  // namespace nl::documents
