// Webhook: an address that is told of a change of tier.
//
// For most of them path and query are the secret, so they are kept as one. Values; any thread.
#pragma once

#include <string_view>

#include "base/error.h"
#include "base/secret.h"
#include "http/client.h"

namespace nl::http {

struct Webhook {
  Endpoint endpoint;
  Secret target;  // path and query
};

// Errors: config, without the address in the message.
Result<Webhook> parse_webhook(std::string_view url);

}  // namespace nl::http
