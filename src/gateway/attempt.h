// Attempt: one try of one candidate, from the encoded body to the last byte relayed.
//
// Encodes (or splices) the request for the candidate, opens its provider and relays or gathers the
// answer. Says what happened; the walk over the plan (failover.h) decides what that means. Loop
// thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "gateway/answer_headers.h"
#include "gateway/client_stream.h"
#include "gateway/local_form.h"
#include "gateway/options.h"
#include "gateway/relay.h"
#include "gateway/turn.h"
#include "gateway/upstreams.h"
#include "router/verdict.h"

namespace nl::gateway {

struct AttemptSetup {
  const Upstreams& upstreams;
  const router::Candidate& candidate;
  const GatewayOptions& options;
  Answerer answerer;
  Backup backup = Backup::none;
};

struct AttemptResult {
  std::optional<Error> error;                  // nothing = answered, the client has it whole
  std::unique_ptr<provider::Refusal> refusal;  // the upstream's own words, if it refused
  AnswerTap tap;
  HeaderList vendor_headers;  // of a 2xx, for decide_after_success
  bool translated = false;    // the request was not the client's own bytes
  Duration took{};
  Instant ended{};
};

// The body for `candidate` in its own dialect, composed from the canonical request; for a target on
// this machine, from its local form.
Result<LocalBody> composed_body(const Turn& turn, const Upstreams& upstreams,
                                const router::Candidate& candidate);

// `setup` must live until it has ended.
http::asio::awaitable<AttemptResult> run_attempt(Turn& turn, ClientStream& client,
                                                 const AttemptSetup& setup);

// What the verdict table needs to know of a failed attempt. Views point into the arguments.
router::Seen seen_of(const router::Candidate& candidate, const router::ProviderFacts& facts,
                     const AttemptResult& result);

// Whether this candidate is on this machine and must see only the reading tools of this request, or
// no tool conversation at all.
router::OnLocal local_mode(const chat::Request& request, const router::Policy& policy,
                           const router::Candidate& candidate);

// The declared tools that only read, by name; for router::OnLocal::read_only.
std::vector<std::string> reading_tools(const chat::Request& request);

}  // namespace nl::gateway
