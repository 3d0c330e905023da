// read_ahead(): one request that makes the local server read a prompt and answer next to nothing.
//
// Sends the body through a Provider and follows what the server says of its progress:
// llama-server's prompt_progress and timings, Ollama's counts on its last line. Cancelling closes
// the connection, which ends the reading after the batch at hand. until_free() waits for that end.
// Loop thread.
#pragma once

#include "provider/provider.h"
#include "standby/conversation_book.h"

namespace nl::standby {

class ReadingSink {
 public:
  virtual ~ReadingSink() = default;
  virtual void on_progress(std::int64_t read, std::int64_t tokens) = 0;
};

// Errors: cancelled, what the provider says, protocol.
boost::asio::awaitable<Result<Outcome>> read_ahead(provider::Provider& provider,
                                                   const std::string& body, ReadingSink& sink,
                                                   http::Cancel& cancel);

// Returns once no slot of the llama-server at `engine` works, or at `until`.
boost::asio::awaitable<void> until_free(http::Client& client, const http::Endpoint& engine,
                                        Instant until);

// What a local server streams, frame by frame.
class FrameSink {
 public:
  virtual ~FrameSink() = default;
  // An error ends the request.
  virtual Result<void> on_frame(const dialect::SseFrame& frame) = 0;
};

// Sends `body` and hands every frame of the answer to `sink`. Errors: cancelled, what the provider
// says, protocol, what the sink says.
boost::asio::awaitable<Result<void>> follow(provider::Provider& provider, const std::string& body,
                                            FrameSink& sink, http::Cancel& cancel);

// Takes what one frame of such an answer says; for tests too. Errors: stream_error.
Result<void> take_frame(const dialect::SseFrame& frame, Outcome& outcome, ReadingSink& sink);

}  // namespace nl::standby
