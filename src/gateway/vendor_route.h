// Vendor routes: what is not a turn goes straight to the one vendor it is meant for.
//
// No failover, no translation: the same method, path, query and body, the client's own headers by
// allow-list, the answer as it comes. A vendor that is not configured, or for which there is no
// credential, is a 404 that says so.
#pragma once

#include <optional>

#include "gateway/admission.h"
#include "gateway/credential.h"
#include "gateway/upstreams.h"
#include "http/server.h"

namespace nl::gateway {

// The provider that serves `dialect`'s own routes with a credential this request has.
struct VendorProvider {
  provider::Provider* provider = nullptr;
  std::size_t index = 0;  // in the policy
  bool client_credential = false;
};
std::optional<VendorProvider> vendor_provider(const Upstreams& upstreams,
                                              dialect::DialectId dialect,
                                              const ClientCredential& credential);

// Sends it and relays the answer.
http::asio::awaitable<void> forward_to_vendor(http::Exchange& exchange, const RouteMatch& route,
                                              VendorProvider vendor, Instant until);

}  // namespace nl::gateway
