#include "clients/json_text.h"

#include <fmt/format.h>

#include "clients/edit.h"

namespace nl::clients {
namespace {

constexpr int kDepthMax = 200;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// The first byte at or after `at` that is neither blank nor in a comment; npos in an open comment.
std::size_t skip_blanks(std::string_view text, std::size_t at) {
  if (at == 0 && text.starts_with(kByteOrderMark)) at = kByteOrderMark.size();
  while (at < text.size()) {
    if (is_blank(text[at])) {
      ++at;
    } else if (text.substr(at, 2) == "//") {
      at = std::min(text.find('\n', at), text.size());
    } else if (text.substr(at, 2) == "/*") {
      const std::size_t end = text.find("*/", at + 2);
      if (end == std::string_view::npos) return end;
      at = end + 2;
    } else {
      break;
    }
  }
  return at;
}

void append_utf8(std::string& out, unsigned code) {
  const auto put = [&out](unsigned byte) { out += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xc0 | code >> 6);
    put(0x80 | (code & 0x3f));
  } else {
    put(0xe0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  }
}

// `quoted` with its quotes, as scanned. Halves of surrogate pairs stay halves: names and paths of
// ours have none, and only equality matters for anybody else's.
std::string unquoted(std::string_view quoted) {
  std::string out;
  for (std::size_t at = 1; at + 1 < quoted.size(); ++at) {
    if (quoted[at] != '\\') {
      out += quoted[at];
      continue;
    }
    const char c = quoted[++at];
    constexpr std::string_view kShort = "bfnrt";
    constexpr std::string_view kMeans = "\b\f\n\r\t";
    if (c == 'u') {
      unsigned code = 0;
      for (const char digit : quoted.substr(at + 1, 4)) {
        const int value = digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
        code = code * 16 + static_cast<unsigned>(value);
      }
      append_utf8(out, code);
      at += 4;
    } else if (const std::size_t known = kShort.find(c); known != std::string_view::npos) {
      out += kMeans[known];
    } else {
      out += c;
    }
  }
  return out;
}

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  Result<std::optional<JsonNode>> document() {
    if (!advance()) return wrong("a comment without its end");
    if (at_ == text_.size()) return std::nullopt;
    auto root = value(0);
    if (!root) return std::unexpected(std::move(root.error()));
    if (!advance()) return wrong("a comment without its end");
    if (at_ != text_.size()) return wrong("something after the end");
    return std::optional<JsonNode>(std::move(*root));
  }

 private:
  std::unexpected<Error> wrong(std::string_view what) const {
    return fail(ErrorCode::config,
                fmt::format("line {}: {}", line_number(text_, std::min(at_, text_.size())), what));
  }
  bool advance() {
    const std::size_t next = skip_blanks(text_, at_);
    if (next == std::string_view::npos) {
      at_ = text_.rfind("/*");
      return false;
    }
    at_ = next;
    return true;
  }
  char here() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  Result<void> text() {
    const std::size_t start = at_++;
    while (at_ < text_.size() && text_[at_] != '"') {
      if (static_cast<unsigned char>(text_[at_]) < 0x20) return wrong("a text without its end");
      if (text_[at_] == '\\') {
        const bool is_unicode = text_.substr(at_ + 1, 1) == "u";
        const std::string_view digits = is_unicode ? text_.substr(at_ + 2, 4) : "0000";
        const bool known = std::string_view("\"\\/bfnrtu").find(text_.substr(at_ + 1, 1)) !=
                           std::string_view::npos;
        const bool is_hex =
            digits.size() == 4 && digits.find_first_not_of("0123456789abcdefABCDEF") == digits.npos;
        if (at_ + 1 >= text_.size() || !known || !is_hex) return wrong("not a JSON escape");
        at_ += is_unicode ? 5 : 1;
      }
      ++at_;
    }
    if (at_ >= text_.size()) {
      at_ = start;
      return wrong("a text without its end");
    }
    ++at_;
    return {};
  }

  Result<void> word() {
    const std::size_t start = at_;
    constexpr std::string_view kOfWords =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.";
    while (at_ < text_.size() && kOfWords.find(text_[at_]) != kOfWords.npos) ++at_;
    const std::string_view found = text_.substr(start, at_ - start);
    const bool is_number = !found.empty() && found.find_first_of("0123456789") < 2 &&
                           found.find_first_not_of("0123456789+-.eE") == found.npos;
    if (found == "true" || found == "false" || found == "null" || is_number) return {};
    at_ = start;
    return wrong("not JSON");
  }

  Result<JsonNode> value(int depth) {
    if (depth > kDepthMax) return wrong("nested too deep");
    JsonNode node;
    node.start = at_;
    Result<void> read;
    if (here() == '{') {
      node.kind = JsonNode::Kind::object;
      read = object(node, depth);
    } else if (here() == '[') {
      node.kind = JsonNode::Kind::array;
      read = array(node, depth);
    } else if (here() == '"') {
      node.kind = JsonNode::Kind::text;
      read = text();
    } else {
      read = word();
    }
    if (!read) return std::unexpected(std::move(read.error()));
    node.end = at_;
    return node;
  }

  // Behind a value in `closing`'s list: true when the list has ended.
  Result<bool> ended(char closing) {
    if (!advance()) return wrong("a comment without its end");
    if (here() == closing) {
      ++at_;
      return true;
    }
    if (here() != ',') return wrong(fmt::format("',' or '{}' is missing", closing));
    ++at_;
    if (!advance()) return wrong("a comment without its end");
    if (here() != closing) return false;
    ++at_;
    return true;
  }

  Result<void> object(JsonNode& node, int depth) {
    ++at_;
    if (!advance()) return wrong("a comment without its end");
    if (here() == '}') {
      ++at_;
      return {};
    }
    while (true) {
      if (here() != '"') return wrong("a name in quotes is missing");
      JsonMember member;
      member.start = at_;
      if (auto read = text(); !read) return read;
      member.name = unquoted(text_.substr(member.start, at_ - member.start));
      if (!advance() || here() != ':') return wrong("':' is missing");
      ++at_;
      if (!advance()) return wrong("a comment without its end");
      auto read = value(depth + 1);
      if (!read) return std::unexpected(std::move(read.error()));
      member.value = std::move(*read);
      node.members.push_back(std::move(member));
      const auto end = ended('}');
      if (!end) return std::unexpected(end.error());
      if (*end) return {};
    }
  }

  Result<void> array(JsonNode& node, int depth) {
    ++at_;
    if (!advance()) return wrong("a comment without its end");
    if (here() == ']') {
      ++at_;
      return {};
    }
    while (true) {
      auto read = value(depth + 1);
      if (!read) return std::unexpected(std::move(read.error()));
      node.items.push_back(std::move(*read));
      const auto end = ended(']');
      if (!end) return std::unexpected(end.error());
      if (*end) return {};
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

Result<JsonText> JsonText::read(std::string_view text) {
  auto root = Scanner(text).document();
  if (!root) return std::unexpected(std::move(root.error()));
  JsonText made;
  made.text_ = text;
  made.root_ = std::move(*root);
  return made;
}

const JsonMember* member_named(const JsonNode& object, std::string_view name) {
  for (auto member = object.members.rbegin(); member != object.members.rend(); ++member) {
    if (member->name == name) return &*member;
  }
  return nullptr;
}

const JsonMember* JsonText::member(std::span<const std::string> path) const {
  const JsonNode* holder = object(path);
  return holder == nullptr ? nullptr : member_named(*holder, path.back());
}

const JsonNode* JsonText::object(std::span<const std::string> path) const {
  const JsonNode* node = root();
  for (std::size_t i = 0; node != nullptr && i + 1 < path.size(); ++i) {
    const JsonMember* next = member_named(*node, path[i]);
    node = next == nullptr ? nullptr : &next->value;
  }
  return node != nullptr && node->kind == JsonNode::Kind::object ? node : nullptr;
}

std::string JsonText::text_of(const JsonNode& node) const {
  return node.kind == JsonNode::Kind::text ? unquoted(raw(node)) : "";
}

std::size_t JsonText::skip(std::size_t at) const {
  return std::min(skip_blanks(text_, at), text_.size());
}

std::string json_quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out += '"';
}

}  // namespace nl::clients
