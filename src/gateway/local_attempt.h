// What an attempt at a model on this machine does around its body: exact counts before, the refusal
// where nothing fits, the story afterwards.
//
// The engine's tokenizer is asked for the largest texts while the size matters, for kCountWithin at
// most: an engine that is not there yet or does not answer leaves the estimate. Loop thread.
#pragma once

#include "gateway/attempt.h"

namespace nl::gateway {

inline constexpr std::chrono::milliseconds kCountWithin{700};
inline constexpr std::size_t kCountTextsMax = 64;

// Has the engine count what the form of this turn would want counted. Nothing for other targets.
http::asio::awaitable<void> count_texts(Turn& turn, const Upstreams& upstreams,
                                        const router::Candidate& candidate);

// The refusal of a request that no form of fits, in the words by which clients compact themselves.
provider::Refusal too_large(const router::Candidate& candidate, const chat::LocalNote& note);

// Puts what was done to the request into its row, for `why`.
void tell_form(Turn& turn, const router::Candidate& candidate, const chat::LocalNote& note);

}  // namespace nl::gateway
