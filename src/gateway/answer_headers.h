// Answer headers: the x-nightlight-* lines that tell who answered and why, and the vendor's own.
//
// A vendor's headers (request id, rate limits) go back only when the client's own vendor answered
// its own credential; another tier's limits would mislead the client. `retry-after` is never above
// 60 s: beyond it clients stop for good (PROTOCOLS 1.4). Pure.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/turn.h"
#include "router/route.h"

namespace nl::gateway {

using HeaderList = std::vector<std::pair<std::string, std::string>>;

// The views point into the policy, the plan and the walk over it.
struct Answerer {
  std::string_view tier, provider, model;
  int attempts = 1;
  std::string_view reason;     // why it is not the preferred target; empty = it is
  std::string_view compacted;  // what was left out of the request for it; empty = nothing
};

// As header lines with CRLF each.
std::string answer_lines(const Turn& turn, const Answerer& answerer, const HeaderList& vendor);

// Bytes that may stand in a header value: others become '?'.
std::string header_value(std::string_view text);

// A retry-after that this client obeys, in seconds.
int obeyed_retry_after(const Turn& turn);

}  // namespace nl::gateway
