// The look at a model's chat template before the engine runs it: a template is a program that came
// with the file.
//
// Refuses what cannot be one (not closed, NUL bytes), what reaches for other files, and what
// ignores the conversation. It is a look at the surface, not a parser: the engine's own template
// machine has the last word. Pure; any thread.
#pragma once

#include <string_view>

#include "base/error.h"

namespace nl::engine {

// Errors: config; the message continues "its chat template ...".
Result<void> check_chat_template(std::string_view text);

}  // namespace nl::engine
