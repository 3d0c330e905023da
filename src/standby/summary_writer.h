// The standing summary as a local model writes it: what it says, and whether that can stand.
//
// written_answer() asks through a Provider and collects the answer's text; cancelling closes the
// connection, which ends the writing after the batch at hand. usable_summary() is what keeps a
// small model's failures out of a conversation: nothing said, a loop, the model's own markup. Loop
// thread for the first, any for the second.
#pragma once

#include <string>

#include "standby/reading.h"

namespace nl::standby {

struct Written {
  std::string text;  // UTF-8
  chat::StopReason stop = chat::StopReason::none;
};

// Tells `sink` of every sign of life. Errors: cancelled, what the provider says, protocol,
// stream_error, too_large, truncated.
boost::asio::awaitable<Result<Written>> written_answer(provider::Provider& provider,
                                                       const std::string& body, ReadingSink& sink,
                                                       http::Cancel& cancel);

// The summary in `written`; empty where none can be used.
std::string usable_summary(const Written& written);

}  // namespace nl::standby
