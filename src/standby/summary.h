// What stands in for turns that were left out: a summary made of their own words, and the request
// by which a local model makes a better one in idle time.
//
// The extractive summary names what was asked, the files that were touched, the commands that were
// run and the last conclusions. Texts are the inside of JSON strings. Pure; any thread.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "chat/request.h"

namespace nl::standby {

// Of `messages`, within about `bytes`.
std::string extract_summary(std::span<const chat::Message* const> messages, std::size_t bytes);

// The user message that holds `text`, said to be a summary.
std::string summary_message(std::string_view text);

// Asks a model for the summary of `messages`, whose transcript is cut to `bytes`. Owns its bytes.
chat::Request summary_request(std::span<const chat::Message* const> messages, std::size_t bytes);

}  // namespace nl::standby
