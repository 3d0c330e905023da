// Tool names that every vendor accepts, and the way back.
//
// Vendors take at most 64 bytes of [a-zA-Z0-9_-]; agents declare longer ones (mcp__server__tool).
// The short form is a pure function of the name, so history and declarations agree in every turn.
// A reader hands out names as the upstream wrote them: who relays a translated answer asks
// restore_tool_name() with the request that was encoded.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "chat/request.h"
#include "chat/text.h"

namespace nl::dialect {

inline constexpr std::size_t kToolNameBytesMax = 64;

// `name` itself when it fits, else its beginning and a hash of the whole. Needs no escape.
std::string fit_tool_name(chat::JsonText name);

// The declared tool of `request` whose fit_tool_name() is `wire`, else `wire` itself. The result
// lives as long as the request and `wire`.
chat::JsonText restore_tool_name(const chat::Request& request, chat::JsonText wire);

}  // namespace nl::dialect
