// Models: GET /v1/models, the names this gateway can be asked for, in either dialect's shape.
//
// Made from the policy alone: no provider is asked. Pure; any thread.
#pragma once

#include "dialect/dialect.h"
#include "gateway/admission.h"
#include "http/server.h"
#include "router/planner.h"

namespace nl::gateway {

// The list, or one model for /v1/models/NAME (404 in dialect when it is unknown).
http::Answer models_answer(const router::Policy& policy, const RouteMatch& route,
                           dialect::DialectId dialect);

}  // namespace nl::gateway
