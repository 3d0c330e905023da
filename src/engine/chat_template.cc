#include "engine/chat_template.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace nl::engine {
namespace {

using Words = std::array<std::string_view, 4>;

constexpr Words kReaching = {"include", "import", "from", "extends"};
// Blocks that always need their end; `set` and others have short forms.
constexpr Words kBlocks = {"for", "if", "macro", "filter"};

bool has(const Words& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

std::unexpected<Error> wrong(const std::string& what) {
  return fail(ErrorCode::config, "its chat template " + what);
}

// Where the code that begins at `from` ends with `close`, past strings and brackets; npos = never.
std::size_t end_of_code(std::string_view text, std::size_t from, std::string_view close) {
  int braces = 0;
  for (std::size_t i = from; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\'' || c == '"') {
      for (++i; i < text.size() && text[i] != c; ++i) {
        if (text[i] == '\\') ++i;
      }
    } else if (braces == 0 && text.substr(i).starts_with(close)) {
      return i;
    } else if (c == '{') {
      ++braces;
    } else if (c == '}' && braces > 0) {
      --braces;
    }
  }
  return std::string_view::npos;
}

std::string_view first_word(std::string_view code) {
  std::size_t from = 0;
  while (from < code.size() && !is_word(code[from])) ++from;
  std::size_t to = from;
  while (to < code.size() && is_word(code[to])) ++to;
  return code.substr(from, to - from);
}

bool mentions(std::string_view code, std::string_view name) {
  for (std::size_t at = code.find(name); at != std::string_view::npos;
       at = code.find(name, at + 1)) {
    const bool begins = at == 0 || !is_word(code[at - 1]);
    const std::size_t end = at + name.size();
    if (begins && (end == code.size() || !is_word(code[end]))) return true;
  }
  return false;
}

// One pass over the text; keeps which blocks are open.
class Scan {
 public:
  explicit Scan(std::string_view text) : text_(text) {}

  Result<void> run() {
    std::size_t at = 0;
    while ((at = text_.find('{', at)) != std::string_view::npos && at + 1 < text_.size()) {
      const char kind = text_[at + 1];
      if (kind != '{' && kind != '%' && kind != '#') {
        ++at;
        continue;
      }
      const auto end = pass(at, kind);
      if (!end) return std::unexpected(end.error());
      at = *end;
    }
    if (!open_.empty()) return wrong(fmt::format("never ends a `{}`", open_.back()));
    if (!reads_messages_) return wrong("does not use the conversation");
    return {};
  }

 private:
  Result<std::size_t> pass(std::size_t at, char kind) {
    if (kind == '#') {
      const std::size_t end = text_.find("#}", at + 2);
      if (end == std::string_view::npos) return wrong("has a comment that never ends");
      return end + 2;
    }
    const std::size_t end = end_of_code(text_, at + 2, kind == '{' ? "}}" : "%}");
    if (end == std::string_view::npos) {
      return wrong(fmt::format("is cut off: a tag at character {} never ends", at));
    }
    const std::string_view code = text_.substr(at + 2, end - at - 2);
    reads_messages_ = reads_messages_ || mentions(code, "messages");
    if (kind == '%') {
      const auto done = statement(first_word(code));
      if (!done) return std::unexpected(done.error());
      if (first_word(code) == "raw") {
        const std::size_t raw_end = text_.find("endraw", end);
        if (raw_end == std::string_view::npos) return wrong("never ends a `raw`");
        return raw_end;
      }
    }
    return end + 2;
  }

  Result<void> statement(std::string_view word) {
    if (has(kReaching, word)) {
      return wrong(fmt::format("reaches for another file (`{}`)", word));
    }
    if (has(kBlocks, word)) open_.push_back(word);
    const std::string_view ended = word.starts_with("end") ? word.substr(3) : std::string_view();
    if (has(kBlocks, ended)) {
      if (open_.empty() || open_.back() != ended) {
        return wrong(fmt::format("ends a `{}` that was not begun there", ended));
      }
      open_.pop_back();
    }
    return {};
  }

  std::string_view text_;
  std::vector<std::string_view> open_;
  bool reads_messages_ = false;
};

}  // namespace

Result<void> check_chat_template(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return wrong("has a NUL byte in it");
  return Scan(text).run();
}

}  // namespace nl::engine
