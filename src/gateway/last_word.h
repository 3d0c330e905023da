// LastWord: the error a client gets when nobody answered, in its own dialect, worded so that the
// client does the right thing (PROTOCOLS 3): wait and come back, compact, or stop.
#pragma once

#include <string>

#include "gateway/answer_headers.h"
#include "gateway/attempt.h"
#include "gateway/client_stream.h"
#include "gateway/turn.h"

namespace nl::gateway {

struct LastWord {
  http::Answer answer;  // when a status is still possible
  Error error;          // for the in-stream error after an early head
};

// The request is at fault: the upstream's own status and, in the same dialect, its own body.
LastWord caller_fault(const Turn& turn, const Answerer& who, const provider::Provider& provider,
                      const AttemptResult& result);

// No target can do what this request needs (window, model): the vendor's own kind of error.
LastWord incapable(const Turn& turn, const AttemptResult& result);

// No target speaks the only dialect in which this request can be said: the caller's fault, 400.
LastWord untranslatable(const Turn& turn);

// Nothing is left: 503 with a retry-after the client obeys, every reason, and the fix.
LastWord exhausted(const Turn& turn, const router::Plan& plan, const router::Policy& policy,
                   const std::string& failures);

// Sends it as an answer, or into the stream that an early head has opened. Fills turn.row.status.
http::asio::awaitable<void> say(Turn& turn, ClientStream& client, LastWord word);

}  // namespace nl::gateway
