// Wishes: what a request asks of Nightlight itself, in the headers x-nightlight-route and
// x-nightlight-task.
//
// route: "direct" (no gateway's work at all), "offline" (only what is on this machine), or targets
// as a [[route]] has them, with commas between: @tier, provider/model, provider. They stand in for
// every route, task and tier; privacy, health and budget still decide. task: a label of ROUTING 3;
// it picks the [tasks] targets instead of a guess from the words. A name that is not known is
// refused with a 400, never passed over. A request without them pays two look-ups. Pure.
#pragma once

#include "base/error.h"
#include "gateway/turn.h"

namespace nl::gateway {

// Whether the route that the headers name, if any, leaves a request to this provider, which alone
// can serve it. Errors: bad_request, 400.
Result<void> leaves_to(const http::RequestHead& head, const router::Policy& policy,
                       std::size_t provider);

// Fills turn.direct, turn.route and their facts. Errors: bad_request, 400, naming the header.
Result<void> read_wishes(Turn& turn, const router::Policy& policy);

}  // namespace nl::gateway
