// Turns: a conversation in the order that every vendor accepts.
//
// Clients send tool results in completion order, twice, late or never, several messages of one role
// in a row, and system messages in the middle. make_turns() puts a Request's messages right: roles
// alternate, each turn after calls begins with exactly one result per call in call order, and what
// has no place is marked so that an encoder can carry it as text. It drops nothing and copies
// nothing: items point into the Request, which must outlive them. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "chat/request.h"

namespace nl::dialect {

enum class ItemKind : std::uint8_t {
  block,           // as the client sent it: anything but a ToolResult
  result,          // a ToolResult that answers a call of the turn before
  missing_result,  // `block` is a ToolUse of the turn before that nobody answered
  orphan_result,   // a ToolResult that answers no call of the turn before
  system,          // a block of a system message that stood here
};

struct Item {
  ItemKind kind = ItemKind::block;
  const chat::Block* block = nullptr;
};

struct Turn {
  chat::Role role = chat::Role::user;  // user or assistant
  std::vector<Item> items;
};

// What a synthesised result says.
inline constexpr std::string_view kNoResult = "no result was recorded";

// Number of messages at the front with Role::system: an encoder adds them to the system prompt.
std::size_t leading_system_messages(const chat::Request& request);

// The turns of request.messages behind the leading system messages.
std::vector<Turn> make_turns(const chat::Request& request);

// Takes away the results made up at the end of `turns`: the calls of a last assistant turn are not
// answered yet where nothing is asked.
void leave_calls_open(std::vector<Turn>& turns);

// The arguments of a call as a JSON object. Text that is no object (a model may write anything) is
// carried as the one member "arguments"; nothing at all becomes {}.
std::string arguments_object(const chat::ToolUse& call);
std::string arguments_object(chat::JsonText arguments);

}  // namespace nl::dialect
