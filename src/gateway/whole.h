// Whole answers: a non-streamed upstream answer -> one response body for the client.
//
// The body is read to its end and checked (an error object, HTML or nothing at all inside a 200 is
// a failure) before a byte goes to the client. Same dialect: its own bytes, with the asked model
// name put back; otherwise reader -> events -> writer. An upstream that streams all the same is
// folded. One that goes on for ever is cut at its limit and says so with its stop reason.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "gateway/options.h"
#include "gateway/relay.h"
#include "gateway/turn.h"
#include "provider/provider.h"

namespace nl::gateway {

// A body as far as it was read.
struct WholeBody {
  enum class End : std::uint8_t { its_own, at_limit };
  std::string text;
  End end = End::its_own;
};

http::asio::awaitable<Result<WholeBody>> read_body(provider::Opening& opening, Instant until,
                                                   std::size_t limit);

// The events of `body`; what was cut ends with `max_tokens`.
Result<void> read_events(const WholeBody& body, dialect::Reader& reader, AnswerBound& bound);

struct WholeResult {
  std::optional<Error> error;  // nothing = `body` is the answer
  AnswerTap tap;
  std::string body;
};

// Reads and checks; sends nothing. `backup` tells whether an empty answer may be refused.
http::asio::awaitable<WholeResult> read_whole_answer(Turn& turn, const RelaySetup& setup,
                                                     provider::Opening& opening);

}  // namespace nl::gateway
