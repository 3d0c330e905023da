#include "clients/toml_edit.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "clients/masking.h"

namespace nl::clients {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr int kDepthMax = 100;

// A key with its value, before the first table.
struct Statement {
  std::string name;  // of a key that is one name; empty for a dotted one
  std::size_t start = 0;
  std::size_t value_start = 0;
  std::size_t value_end = 0;
  std::size_t end = 0;  // behind its line end
};

class TomlScanner {
 public:
  explicit TomlScanner(std::string_view text) : text_(text) {
    if (text_.starts_with(kByteOrderMark)) at_ = kByteOrderMark.size();
  }

  Result<std::vector<Statement>> document() {
    std::vector<Statement> top;
    bool in_table = false;
    while (at_ < text_.size()) {
      blanks();
      Result<void> read;
      if (here() == '[') {
        in_table = true;
        read = header();
      } else if (here() != '\0' && here() != '#' && !at_line_end()) {
        auto statement = assignment();
        if (!statement) return std::unexpected(std::move(statement.error()));
        read = rest_of_line();
        statement->end = at_;
        if (!in_table) top.push_back(std::move(*statement));
      } else {
        read = rest_of_line();
      }
      if (!read) return std::unexpected(std::move(read.error()));
    }
    return top;
  }

 private:
  char here() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool at_line_end() const { return here() == '\n' || text_.substr(at_, 2) == "\r\n"; }
  void blanks() {
    while (here() == ' ' || here() == '\t') ++at_;
  }
  std::unexpected<Error> wrong(std::string_view what) const {
    return fail(ErrorCode::config,
                fmt::format("line {}: {}", line_number(text_, std::min(at_, text_.size())), what));
  }

  // A comment or nothing, then the end of the line.
  Result<void> rest_of_line() {
    blanks();
    if (here() == '#') at_ = std::min(text_.find('\n', at_), text_.size());
    if (here() == '\r') ++at_;
    if (at_ == text_.size()) return {};
    if (here() != '\n') return wrong("something behind the end of a statement");
    ++at_;
    return {};
  }

  Result<void> header() {
    const bool is_array = text_.substr(at_, 2) == "[[";
    at_ += is_array ? 2 : 1;
    std::size_t parts = 0;
    if (auto read = key(parts); !read) return std::unexpected(std::move(read.error()));
    const std::string_view closing = is_array ? "]]" : "]";
    if (text_.substr(at_, closing.size()) != closing) return wrong("']' is missing");
    at_ += closing.size();
    return rest_of_line();
  }

  // Its last part; `parts` counts them.
  Result<std::string> key(std::size_t& parts) {
    constexpr std::string_view kBare =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    while (true) {
      blanks();
      std::string part;
      const std::size_t start = at_;
      if (here() == '"' || here() == '\'') {
        if (auto read = quoted(); !read) return std::unexpected(std::move(read.error()));
        part = text_.substr(start + 1, at_ - start - 2);
      } else {
        while (at_ < text_.size() && kBare.find(text_[at_]) != kBare.npos) ++at_;
        part = text_.substr(start, at_ - start);
        if (part.empty()) return wrong("a key is missing");
      }
      ++parts;
      blanks();
      if (here() != '.') return part;
      ++at_;
    }
  }

  Result<Statement> assignment() {
    Statement statement;
    statement.start = at_;
    std::size_t parts = 0;
    auto name = key(parts);
    if (!name) return std::unexpected(std::move(name.error()));
    if (parts == 1) statement.name = std::move(*name);
    if (here() != '=') return wrong("'=' is missing");
    ++at_;
    blanks();
    statement.value_start = at_;
    if (auto read = value(0); !read) return std::unexpected(std::move(read.error()));
    statement.value_end = at_;
    return statement;
  }

  // On one line.
  Result<void> quoted() {
    const char quote = text_[at_++];
    while (here() != quote) {
      if (here() == '\0' || here() == '\n') return wrong("a text without its end");
      if (quote == '"' && here() == '\\') ++at_;
      ++at_;
    }
    ++at_;
    return {};
  }

  Result<void> long_text() {
    const std::string quotes(3, text_[at_]);
    at_ += 3;
    while (text_.substr(at_, 3) != quotes) {
      if (at_ >= text_.size()) return wrong("a text without its end");
      if (quotes[0] == '"' && here() == '\\') ++at_;
      ++at_;
    }
    // Up to two quotes may stand before the end.
    at_ += 3;
    while (here() == quotes[0]) ++at_;
    return {};
  }

  Result<void> value(int depth) {
    if (depth > kDepthMax) return wrong("nested too deep");
    if (text_.substr(at_, 3) == "\"\"\"" || text_.substr(at_, 3) == "'''") return long_text();
    if (here() == '"' || here() == '\'') return quoted();
    if (here() == '[') return list(depth, ']');
    if (here() == '{') return list(depth, '}');
    const std::size_t end = std::min(text_.find_first_of(",]}#\r\n", at_), text_.size());
    std::string_view word = text_.substr(at_, end - at_);
    word = word.substr(0, word.find_last_not_of(" \t") + 1);
    if (word.empty() || word.find_first_of("\"'=[{") != word.npos)
      return wrong("a value is missing");
    at_ += word.size();
    return {};
  }

  void over_lines() {
    while (true) {
      blanks();
      if (here() == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (at_line_end()) {
        at_ += here() == '\r' ? 2 : 1;
      } else {
        return;
      }
    }
  }

  // An array, or an inline table.
  Result<void> list(int depth, char closing) {
    ++at_;
    over_lines();
    while (here() != closing) {
      if (at_ >= text_.size()) return wrong(fmt::format("'{}' is missing", closing));
      Result<void> read;
      if (closing == '}') {
        std::size_t parts = 0;
        if (auto name = key(parts); !name) return std::unexpected(std::move(name.error()));
        if (here() != '=') return wrong("'=' is missing");
        ++at_;
        blanks();
      }
      read = value(depth + 1);
      if (!read) return read;
      over_lines();
      if (here() == ',') {
        ++at_;
        over_lines();
      } else if (here() != closing) {
        return wrong(fmt::format("',' or '{}' is missing", closing));
      }
    }
    ++at_;
    return {};
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

const Statement* statement_named(const std::vector<Statement>& top, std::string_view name) {
  for (const Statement& statement : top) {
    if (!statement.name.empty() && statement.name == name) return &statement;
  }
  return nullptr;
}

// As TOML writes a text of plain characters.
std::string toml_quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out += '"';
}

std::string_view value_of(std::string_view text, const Statement& statement) {
  return text.substr(statement.value_start, statement.value_end - statement.value_start);
}

}  // namespace

Result<std::optional<Change>> set_toml(std::string& text, const Setting& setting) {
  const auto top = TomlScanner(text).document();
  if (!top) return std::unexpected(top.error());
  const std::string value = toml_quoted(setting.value);
  if (const Statement* there = statement_named(*top, setting.path.back())) {
    if (value_of(text, *there) == value) return std::nullopt;
    Change change{setting.path, value, std::string(value_of(text, *there)), "", 0, 0};
    text.replace(there->value_start, there->value_end - there->value_start, value);
    return change;
  }
  Change change{setting.path, value, std::nullopt, "", 0, 1};
  const std::string newline = line_end(text);
  const std::string line = fmt::format("{} = {}", setting.path.back(), value);
  std::size_t at = text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  if (!top->empty()) at = top->back().end;
  if (at > 0 && at == text.size() && !text.ends_with('\n') && !top->empty()) {
    change.inserted = newline + line;
    change.lead = newline.size();
  } else {
    change.inserted = line + newline;
  }
  text.insert(at, change.inserted);
  return change;
}

Result<std::string> unset_toml(std::string& text, const Change& change) {
  const auto top = TomlScanner(text).document();
  if (!top) return std::unexpected(top.error());
  const Statement* there = statement_named(*top, change.path.back());
  const std::string label = dotted(change.path);
  if (there == nullptr)
    return change.before ? label + " was removed since and is not put back" : "";
  const std::string_view value = value_of(text, *there);
  if (change.before && value == *change.before) return "";
  if (value != change.written) {
    return fmt::format("{} was changed since and stays as it is: {}", label,
                       shown_value(label, value));
  }
  if (change.before) {
    text.replace(there->value_start, value.size(), *change.before);
    return "";
  }
  const std::size_t lead = std::min(change.lead, there->start);
  const bool as_put =
      std::string_view(text).substr(there->start - lead, change.inserted.size()) == change.inserted;
  if (as_put) {
    std::string without = text;
    without.erase(there->start - lead, change.inserted.size());
    const auto left = TomlScanner(without).document();
    if (left && left->size() + 1 == top->size()) {
      text = std::move(without);
      return "";
    }
  }
  const auto indent = indent_before(text, there->start);
  const std::size_t from = there->start - (indent ? indent->size() : 0);
  text.erase(from, there->end - from);
  return "";
}

}  // namespace nl::clients
