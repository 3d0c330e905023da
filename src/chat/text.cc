#include "chat/text.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>

namespace nl::chat {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD
constexpr std::uint32_t kReplacementPoint = 0xfffd;

bool is_high_surrogate(std::uint32_t unit) {
  return unit >= 0xd800 && unit < 0xdc00;
}
bool is_low_surrogate(std::uint32_t unit) {
  return unit >= 0xdc00 && unit < 0xe000;
}

void append_point(std::string& out, std::uint32_t point) {
  const auto put = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xc0 | (point >> 6));
    put(0x80 | (point & 0x3f));
  } else if (point < 0x10000) {
    put(0xe0 | (point >> 12));
    put(0x80 | ((point >> 6) & 0x3f));
    put(0x80 | (point & 0x3f));
  } else {
    put(0xf0 | (point >> 18));
    put(0x80 | ((point >> 12) & 0x3f));
    put(0x80 | ((point >> 6) & 0x3f));
    put(0x80 | (point & 0x3f));
  }
}

std::optional<std::uint32_t> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<std::uint32_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<std::uint32_t>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<std::uint32_t>(c - 'A' + 10);
  return std::nullopt;
}

// The code unit of "\uXXXX" at the start of `rest`, if that is what stands there.
std::optional<std::uint32_t> code_unit(std::string_view rest) {
  if (rest.size() < 6 || rest[0] != '\\' || rest[1] != 'u') return std::nullopt;
  std::uint32_t unit = 0;
  for (const char c : rest.substr(2, 4)) {
    const auto digit = hex_digit(c);
    if (!digit) return std::nullopt;
    unit = unit << 4 | *digit;
  }
  return unit;
}

// What the two-character escape "\c" stands for; an unknown one (no valid JSON has it) is itself.
char simple_escape(char c) {
  switch (c) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return c;
  }
}

// Appends what the escape at the start of `rest` stands for; returns how long the escape is.
std::size_t append_unescaped(std::string& out, std::string_view rest) {
  const auto unit = code_unit(rest);
  if (!unit) {
    if (rest.size() >= 2) out.push_back(simple_escape(rest[1]));
    return rest.size() >= 2 ? 2 : 1;
  }
  if (is_high_surrogate(*unit)) {
    const auto low = code_unit(rest.substr(6));
    if (low && is_low_surrogate(*low)) {
      append_point(out, 0x10000 + ((*unit - 0xd800) << 10) + (*low - 0xdc00));
      return 12;
    }
  }
  const bool lone = is_high_surrogate(*unit) || is_low_surrogate(*unit);
  append_point(out, lone ? kReplacementPoint : *unit);
  return 6;
}

struct Sequence {
  std::size_t length;  // bytes of the sequence, or of its longest valid beginning (at least one)
  bool valid;
};

// The multi-byte sequence at the start of `rest`, by table 3-7 of the Unicode standard.
Sequence utf8_sequence(std::string_view rest) {
  const auto byte = [rest](std::size_t i) { return static_cast<unsigned char>(rest[i]); };
  const unsigned lead = byte(0);
  if (lead < 0xc2 || lead > 0xf4) return {1, false};
  const std::size_t wanted = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  unsigned low = 0x80;
  unsigned high = 0xbf;
  if (lead == 0xe0) low = 0xa0;
  if (lead == 0xed) high = 0x9f;
  if (lead == 0xf0) low = 0x90;
  if (lead == 0xf4) high = 0x8f;
  for (std::size_t i = 1; i < wanted; ++i) {
    if (i >= rest.size() || byte(i) < low || byte(i) > high) return {i, false};
    low = 0x80;
    high = 0xbf;
  }
  return {wanted, true};
}

bool needs_care(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte >= 0x80 || c == '"' || c == '\\';
}

// The place of the next byte at or behind `from` that needs care. Nearly all text is plain, so
// eight bytes are looked at together.
std::size_t next_in_need(std::string_view utf8, std::size_t from) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHighs = 0x80 * kOnes;
  for (; utf8.size() - from >= sizeof(std::uint64_t); from += sizeof(std::uint64_t)) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, utf8.data() + from, sizeof(bytes));
    const std::uint64_t quote = bytes ^ '"' * kOnes;
    const std::uint64_t backslash = bytes ^ '\\' * kOnes;
    const std::uint64_t control = (bytes - 0x20 * kOnes) & ~bytes;
    const std::uint64_t equal = ((quote - kOnes) & ~quote) | ((backslash - kOnes) & ~backslash);
    if (((bytes | control | equal) & kHighs) != 0) break;
  }
  while (from < utf8.size() && !needs_care(utf8[from])) ++from;
  return from;
}

void append_escape(std::string& out, char c) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out.push_back('\\');
  switch (c) {
    case '"':
    case '\\':
      out.push_back(c);
      return;
    case '\b':
      out.push_back('b');
      return;
    case '\f':
      out.push_back('f');
      return;
    case '\n':
      out.push_back('n');
      return;
    case '\r':
      out.push_back('r');
      return;
    case '\t':
      out.push_back('t');
      return;
    default:
      break;
  }
  out.append("u00");
  out.push_back(kHex[static_cast<unsigned char>(c) >> 4]);
  out.push_back(kHex[static_cast<unsigned char>(c) & 0xf]);
}

}  // namespace

std::string JsonText::utf8() const {
  std::string out;
  out.reserve(escaped.size());
  std::string_view rest = escaped;
  while (true) {
    const std::size_t backslash = rest.find('\\');
    out.append(rest.substr(0, backslash));
    if (backslash == std::string_view::npos) return out;
    rest.remove_prefix(backslash);
    rest.remove_prefix(append_unescaped(out, rest));
  }
}

void append_escaped(std::string& out, std::string_view utf8) {
  out.reserve(out.size() + utf8.size());
  std::size_t plain = 0;  // start of the run of bytes that go through as they are
  for (std::size_t i = next_in_need(utf8, 0); i < utf8.size(); i = next_in_need(utf8, i)) {
    if (static_cast<unsigned char>(utf8[i]) < 0x80) {
      out.append(utf8.substr(plain, i - plain));
      append_escape(out, utf8[i]);
      plain = ++i;
      continue;
    }
    const Sequence sequence = utf8_sequence(utf8.substr(i));
    if (!sequence.valid) {
      out.append(utf8.substr(plain, i - plain));
      out.append(kReplacement);
      plain = i + sequence.length;
    }
    i += sequence.length;
  }
  out.append(utf8.substr(plain));
}

std::string escape(std::string_view utf8) {
  std::string out;
  append_escaped(out, utf8);
  return out;
}

}  // namespace nl::chat
