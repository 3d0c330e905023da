// Tool ids that every vendor accepts.
//
// A call's id travels through every later turn of a conversation and through any number of targets,
// so the mapping is a pure function of the id: the call and its result always meet again, in this
// turn and the next. Ids that already fit stay as they are.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "chat/text.h"

namespace nl::dialect {

inline constexpr std::size_t kToolIdBytesMax = 64;

// True for 1 to kToolIdBytesMax bytes of [a-zA-Z0-9_-].
bool tool_id_fits(std::string_view id);

// `id` itself when it fits, else "call_" and a hash of its content. The result needs no escape.
std::string fit_tool_id(chat::JsonText id);

}  // namespace nl::dialect
