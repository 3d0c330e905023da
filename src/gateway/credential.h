// ClientCredential: what a client presented, and whose form it has.
//
// Decides to which vendor a client's own credential may be passed: by its prefix where it has one
// we know, else by the dialect it came in. Holds no bytes of it beyond the life of the request
// head. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "dialect/dialect.h"
#include "http/head.h"
#include "router/route.h"

namespace nl::gateway {

struct ClientCredential {
  std::optional<router::Vendor> vendor;  // nothing: none was sent, or it is this gateway's token
  bool subscription = false;             // an OAuth login: flat fee
  std::uint64_t mark = 0;                // Secret::fingerprint
};

// Reads x-api-key and Authorization: Bearer. `tokens` are this gateway's own.
ClientCredential client_credential(const http::RequestHead& head, dialect::DialectId dialect,
                                   const std::vector<Secret>& tokens);

// True when some carrier of `head` (x-api-key, Bearer, key= in the query) holds one of `tokens`.
bool presents_token(const http::RequestHead& head, const std::vector<Secret>& tokens);

}  // namespace nl::gateway
