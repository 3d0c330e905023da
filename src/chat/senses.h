// Senses: which parts of a request have to be seen or heard.
//
// For targets that lack the sense, and for telling the client so. Pure; any thread.
#pragma once

#include "chat/request.h"

namespace nl::chat {

// Sound as OpenAI's `input_audio` part, or as a block that says it as Anthropic says images.
bool is_sound(const Opaque& block);

// Of all messages, those in the results of tools as well.
int images_in(const Request& request);
int sounds_in(const Request& request);

}  // namespace nl::chat
