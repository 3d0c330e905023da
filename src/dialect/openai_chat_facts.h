// Facts of an answer's chunk, read for the Chat Completions reader: counts, stop words, statuses.
//
// Pure functions over parsed JSON; what is not there or makes no sense counts as not stated. Any
// thread.
#pragma once

#include "chat/event.h"
#include "dialect/json.h"

namespace nl::dialect::openai_chat {

// The member `usage`.
chat::Usage read_usage(const Value& usage);
// llama-server's member `timings`, which counts the same.
chat::Usage read_timings(const Value& timings);
// What a `finish_reason` means.
chat::StopReason stop_of(const Value& reason);
// The HTTP status that an error object in a 200 stands for; 0 when it does not say.
int error_status(const Value& error);

}  // namespace nl::dialect::openai_chat
