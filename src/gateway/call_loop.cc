#include "gateway/call_loop.h"

#include <map>
#include <vector>

#include "dialect/json.h"
#include "dialect/turns.h"

namespace nl::gateway {
namespace {

using dialect::Value;

bool same_value(Value left, Value right) {
  if (left.kind() != right.kind()) return false;
  if (left.is_object()) {
    if (left.size() != right.size()) return false;
    for (Value member = left.first(); member; member = member.next()) {
      const Value other = right[member.key().utf8()];
      if (!other || !same_value(member, other)) return false;
    }
    return true;
  }
  if (left.is_array()) {
    if (left.size() != right.size()) return false;
    Value other = right.first();
    for (Value item = left.first(); item; item = item.next(), other = other.next()) {
      if (!same_value(item, other)) return false;
    }
    return true;
  }
  if (left.is_string()) return left.text().utf8() == right.text().utf8();
  return left.raw() == right.raw();
}

std::string result_text(const chat::ToolResult& result) {
  std::string text = result.is_error ? "error:" : "";
  for (const chat::ResultPart& part : result.content) {
    const auto* piece = std::get_if<chat::Text>(&part);
    text += piece == nullptr ? "[image]" : piece->text.utf8();
  }
  return text;
}

struct Made {
  const chat::ToolUse* call = nullptr;
  const chat::ToolResult* result = nullptr;
};

// The conversation's last calls with their results, newest first; ends at the user's own words.
std::vector<Made> last_calls(const chat::Request& request) {
  std::vector<Made> made;
  std::map<std::string_view, const chat::ToolResult*> results;
  for (auto message = request.messages.rbegin(); message != request.messages.rend(); ++message) {
    for (auto block = message->content.rbegin(); block != message->content.rend(); ++block) {
      if (made.size() == kCallsAlike) return made;
      if (const auto* result = std::get_if<chat::ToolResult>(&*block)) {
        results.emplace(result->tool_use_id.escaped, result);
      } else if (const auto* call = std::get_if<chat::ToolUse>(&*block)) {
        const auto found = results.find(call->id.escaped);
        made.push_back({call, found == results.end() ? nullptr : found->second});
      } else if (const auto* text = std::get_if<chat::Text>(&*block)) {
        const bool reminder = text->text.escaped.starts_with("<system-reminder>");
        if (message->role == chat::Role::user && !reminder && !text->text.empty()) return made;
      }
    }
  }
  return made;
}

}  // namespace

std::optional<RepeatedCall> repeated_call(const chat::Request& request) {
  const std::vector<Made> made = last_calls(request);
  if (made.size() < kCallsAlike) return std::nullopt;
  const Made& last = made.front();
  if (last.result == nullptr) return std::nullopt;
  RepeatedCall repeated{last.call->name.utf8(), dialect::arguments_object(*last.call)};
  const std::string shown = result_text(*last.result);
  for (const Made& other : made) {
    if (other.result == nullptr || other.call->name.utf8() != repeated.name) return std::nullopt;
    if (result_text(*other.result) != shown) return std::nullopt;
    if (!same_arguments(dialect::arguments_object(*other.call), repeated.arguments)) {
      return std::nullopt;
    }
  }
  return repeated;
}

bool same_arguments(std::string_view left, std::string_view right) {
  dialect::Document one;
  dialect::Document other;
  if (!one.parse(left) || !other.parse(right)) return left == right;
  return same_value(one.root(), other.root());
}

}  // namespace nl::gateway
