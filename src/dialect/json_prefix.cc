#include "dialect/json_prefix.h"

#include <cstddef>

namespace nl::dialect {
namespace {

constexpr std::size_t kDepthMax = 512;

std::size_t sequence_bytes(char first) {
  const auto byte = static_cast<unsigned char>(first);
  if (byte >= 0xF0u) return 4;
  if (byte >= 0xE0u) return 3;
  return byte >= 0xC0u ? 2 : 1;
}

// Bytes of the escape at `at`, both halves of a surrogate pair together; 0 when it is cut.
std::size_t escape_bytes(std::string_view text, std::size_t at) {
  if (at + 1 >= text.size()) return 0;
  if (text[at + 1] != 'u') return 2;
  if (at + 6 > text.size()) return 0;
  const bool high = (text[at + 2] == 'd' || text[at + 2] == 'D') &&
                    std::string_view("89abAB").find(text[at + 3]) != std::string_view::npos;
  if (!high) return 6;
  return at + 12 > text.size() ? 0 : 12;
}

// Bytes of the character at `at`; 0 when it is cut.
std::size_t character_bytes(std::string_view text, std::size_t at) {
  if (text[at] == '\\') return escape_bytes(text, at);
  const std::size_t bytes = sequence_bytes(text[at]);
  return at + bytes > text.size() ? 0 : bytes;
}

class Closer {
 public:
  explicit Closer(std::string_view text) : text_(text) {}

  std::optional<std::string> run() {
    std::size_t at = 0;
    while (at < text_.size()) {
      if (text_[at] == '"') {
        const std::size_t end = string_end(at + 1);
        if (end == 0) break;
        if (!is_name_) mark(end, {});
        at = end;
        continue;
      }
      if (!step(at)) break;
      ++at;
    }
    if (!found_) return std::nullopt;
    std::string closed(text_.substr(0, kept_));
    return closed + tail_;
  }

 private:
  // One past the closing quote of the string whose inside begins at `at`; 0 when it is cut.
  std::size_t string_end(std::size_t at) {
    while (at < text_.size() && text_[at] != '"') {
      const std::size_t bytes = character_bytes(text_, at);
      if (bytes == 0) break;
      at += bytes;
    }
    if (at < text_.size() && text_[at] == '"') return at + 1;
    if (!is_name_) mark(at, "\"");
    return 0;
  }

  // A byte outside of strings; false where the text goes too deep or closes what is not open.
  bool step(std::size_t at) {
    switch (text_[at]) {
      case '{':
      case '[':
        if (open_.size() >= kDepthMax) return false;
        open_.push_back(text_[at] == '{' ? '}' : ']');
        is_name_ = text_[at] == '{';
        mark(at + 1, {});
        return true;
      case '}':
      case ']':
        if (open_.empty() || open_.back() != text_[at]) return false;
        open_.pop_back();
        is_name_ = false;
        mark(at + 1, {});
        return true;
      case ',':
        // A number or literal is whole only here.
        mark(at, {});
        is_name_ = !open_.empty() && open_.back() == '}';
        return true;
      case ':':
        is_name_ = false;
        return true;
      default:
        return true;
    }
  }

  // What ends here is whole: keep it, `end` behind it, and close what is open.
  void mark(std::size_t at, std::string_view end) {
    found_ = true;
    kept_ = at;
    tail_.assign(end).append(open_.rbegin(), open_.rend());
  }

  std::string_view text_;
  std::string open_;  // the brackets that would close what is open, innermost last
  std::string tail_;
  std::size_t kept_ = 0;
  bool is_name_ = false;  // the next string is a member's name
  bool found_ = false;
};

}  // namespace

std::optional<std::string> close_json(std::string_view prefix) {
  return Closer(prefix).run();
}

}  // namespace nl::dialect
