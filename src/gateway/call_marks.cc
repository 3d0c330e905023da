#include "gateway/call_marks.h"

#include <algorithm>

#include "chat/text.h"
#include "dialect/json.h"
#include "gateway/text_calls.h"

namespace nl::gateway {
namespace {

constexpr int kDepthMax = 32;

class MarkedReader {
 public:
  explicit MarkedReader(std::string_view text) : text_(text) {}

  std::optional<std::string> object() {
    if (!value(0) || out_.empty() || out_.front() != '{') return std::nullopt;
    return std::move(out_);
  }

 private:
  bool value(int depth) {
    blanks();
    if (depth > kDepthMax || text_.empty()) return false;
    if (take(kStringMark)) return marked_string();
    if (text_.front() == '"') return plain_string();
    if (text_.front() == '{') return members(depth);
    if (text_.front() == '[') return items(depth);
    return word();
  }

  bool members(int depth) {
    text_.remove_prefix(1);
    out_ += '{';
    blanks();
    if (take("}")) {
      out_ += '}';
      return true;
    }
    for (;;) {
      blanks();
      if (!name()) return false;
      blanks();
      if (!take(":")) return false;
      out_ += ':';
      if (!value(depth + 1)) return false;
      blanks();
      if (take("}")) break;
      if (!take(",")) return false;
      out_ += ',';
    }
    out_ += '}';
    return true;
  }

  bool items(int depth) {
    text_.remove_prefix(1);
    out_ += '[';
    blanks();
    if (take("]")) {
      out_ += ']';
      return true;
    }
    for (;;) {
      if (!value(depth + 1)) return false;
      blanks();
      if (take("]")) break;
      if (!take(",")) return false;
      out_ += ',';
    }
    out_ += ']';
    return true;
  }

  bool name() {
    if (take(kStringMark)) return marked_string();
    if (!text_.empty() && text_.front() == '"') return plain_string();
    const std::size_t end = text_.find_first_of(":,{}[] \n");
    if (end == 0 || end == std::string_view::npos) return false;
    out_ += '"' + chat::escape(text_.substr(0, end)) + '"';
    text_.remove_prefix(end);
    return true;
  }

  bool marked_string() {
    const std::size_t end = text_.find(kStringMark);
    if (end == std::string_view::npos) return false;
    out_ += '"' + chat::escape(text_.substr(0, end)) + '"';
    text_.remove_prefix(end + kStringMark.size());
    return true;
  }

  bool plain_string() {
    std::size_t end = 1;
    while (end < text_.size() && text_[end] != '"') end += text_[end] == '\\' ? 2 : 1;
    if (end >= text_.size()) return false;
    out_ += text_.substr(0, end + 1);
    text_.remove_prefix(end + 1);
    return true;
  }

  // A number, true, false or null.
  bool word() {
    const std::size_t end = std::min(text_.find_first_of(",]} \n"), text_.size());
    const std::string_view stated = text_.substr(0, end);
    dialect::Document document;
    if (stated.empty() || !document.parse(stated)) return false;
    out_ += stated;
    text_.remove_prefix(end);
    return true;
  }

  void blanks() {
    const std::size_t at = text_.find_first_not_of(" \n\t\r");
    text_.remove_prefix(std::min(at, text_.size()));
  }
  bool take(std::string_view expected) {
    if (!text_.starts_with(expected)) return false;
    text_.remove_prefix(expected.size());
    return true;
  }

  std::string_view text_;
  std::string out_;
};

std::optional<WrittenCall> read_marked(std::string_view text) {
  text.remove_prefix(kCallMark.size());
  constexpr std::string_view kWord = "call:";
  if (text.starts_with(kWord)) text.remove_prefix(kWord.size());
  const std::size_t brace = text.find('{');
  if (brace == 0 || brace == std::string_view::npos || brace > 256) return std::nullopt;
  auto arguments = read_marked_arguments(text.substr(brace));
  if (!arguments) return std::nullopt;
  std::string name(text.substr(0, brace));
  while (!name.empty() && (name.back() == ' ' || name.back() == '\n')) name.pop_back();
  return WrittenCall{std::move(name), std::move(*arguments)};
}

std::optional<WrittenCall> read_json(std::string_view text) {
  const std::size_t open = text.find('{');
  const std::size_t close = text.rfind('}');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) {
    return std::nullopt;
  }
  dialect::Document document;
  if (!document.parse(text.substr(open, close - open + 1))) return std::nullopt;
  const dialect::Value root = document.root();
  WrittenCall call;
  for (const std::string_view key : {"name", "tool", "tool_name", "function"}) {
    if (call.name.empty() && root[key].is_string()) call.name = root[key].text().utf8();
  }
  if (call.name.empty()) return std::nullopt;
  for (const std::string_view key : {"arguments", "parameters", "input", "args"}) {
    const dialect::Value stated = root[key];
    if (stated.is_object()) call.arguments = stated.raw();
    if (stated.is_string()) call.arguments = stated.text().utf8();
    if (!call.arguments.empty()) return call;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> read_marked_arguments(std::string_view text) {
  auto json = MarkedReader(text).object();
  dialect::Document document;
  if (!json || !document.parse(*json)) return std::nullopt;
  return json;
}

std::optional<WrittenCall> read_written_call(std::string_view text) {
  return text.starts_with(kCallMark) ? read_marked(text) : read_json(text);
}

}  // namespace nl::gateway
