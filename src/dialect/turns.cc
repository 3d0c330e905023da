#include "dialect/turns.h"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <variant>

#include "dialect/json.h"
#include "dialect/json_writer.h"

namespace nl::dialect {
namespace {

using chat::Role;

bool same_id(chat::JsonText left, chat::JsonText right) {
  if (left.escaped == right.escaped) return true;
  if (left.plain() && right.plain()) return false;
  return left.utf8() == right.utf8();
}

// Neighbours of one role joined; system messages are items of the user's turn.
std::vector<Turn> join_neighbours(const chat::Request& request) {
  std::vector<Turn> turns;
  const auto begin =
      request.messages.begin() + static_cast<std::ptrdiff_t>(leading_system_messages(request));
  for (auto message = begin; message != request.messages.end(); ++message) {
    const Role role = message->role == Role::assistant ? Role::assistant : Role::user;
    if (turns.empty() || turns.back().role != role) turns.push_back({role, {}});
    for (const chat::Block& block : message->content) {
      ItemKind kind = message->role == Role::system ? ItemKind::system : ItemKind::block;
      if (std::holds_alternative<chat::ToolResult>(block)) kind = ItemKind::orphan_result;
      turns.back().items.push_back({kind, &block});
    }
  }
  return turns;
}

std::vector<const chat::Block*> calls_of(const Turn& turn) {
  std::vector<const chat::Block*> calls;
  if (turn.role != Role::assistant) return calls;
  for (const Item& item : turn.items) {
    if (std::holds_alternative<chat::ToolUse>(*item.block)) calls.push_back(item.block);
  }
  return calls;
}

// Takes the result of `call` out of `items`.
Item take_result(std::vector<Item>& items, const chat::Block* call) {
  const chat::JsonText id = std::get<chat::ToolUse>(*call).id;
  const auto found = std::ranges::find_if(items, [id](const Item& item) {
    const auto* result = std::get_if<chat::ToolResult>(item.block);
    return result != nullptr && same_id(result->tool_use_id, id);
  });
  if (found == items.end()) return {ItemKind::missing_result, call};
  const Item result{ItemKind::result, found->block};
  items.erase(found);
  return result;
}

void answer_calls(const std::vector<const chat::Block*>& calls, Turn& turn) {
  std::vector<Item> items;
  items.reserve(calls.size() + turn.items.size());
  for (const chat::Block* call : calls) items.push_back(take_result(turn.items, call));
  items.insert(items.end(), turn.items.begin(), turn.items.end());
  turn.items = std::move(items);
}

bool is_json_object(std::string_view text) {
  Document document;
  return document.parse(text).has_value() && document.root().is_object();
}

}  // namespace

std::size_t leading_system_messages(const chat::Request& request) {
  const auto first = std::ranges::find_if(
      request.messages, [](const chat::Message& message) { return message.role != Role::system; });
  return static_cast<std::size_t>(first - request.messages.begin());
}

std::vector<Turn> make_turns(const chat::Request& request) {
  std::vector<Turn> turns = join_neighbours(request);
  for (std::size_t at = 0; at < turns.size(); ++at) {
    const auto calls = calls_of(turns[at]);
    if (calls.empty()) continue;
    if (at + 1 == turns.size()) turns.push_back({Role::user, {}});
    answer_calls(calls, turns[at + 1]);
  }
  return turns;
}

void leave_calls_open(std::vector<Turn>& turns) {
  if (turns.empty()) return;
  const std::vector<Item>& last = turns.back().items;
  const bool made_up = !last.empty() && std::ranges::all_of(last, [](const Item& item) {
    return item.kind == ItemKind::missing_result;
  });
  if (made_up) turns.pop_back();
}

std::string arguments_object(const chat::ToolUse& call) {
  if (!call.input.empty()) return std::string(call.input.json);
  return arguments_object(call.input_text);
}

std::string arguments_object(chat::JsonText arguments) {
  std::string text = arguments.utf8();
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) return "{}";
  if (is_json_object(text)) return text;
  // Some servers send an empty object first and the real one behind it.
  if (text.starts_with("{}") && is_json_object(std::string_view(text).substr(2))) {
    return text.substr(2);
  }
  std::string wrapped;
  JsonWriter(wrapped).begin_object().text("arguments", arguments).end_object();
  return wrapped;
}

}  // namespace nl::dialect
