// Dialer: a new, ready connection to an endpoint: name, address, proxy, TLS, each under its budget.
//
// Owns the resolver, the proxy rules and the TLS context (made when first needed). Every step ends
// when the Cancel fires. Loop thread; must outlive its dial() calls.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "http/client.h"
#include "http/proxy.h"
#include "http/resolver.h"
#include "http/tls.h"
#include "http/transport.h"

namespace nl::http {

class Dialer {
 public:
  Dialer(Loop& loop, const ClientOptions& options);

  // Errors: dns, connect, tls, config, cancelled; timeout when `until` came before the budget.
  asio::awaitable<Result<std::unique_ptr<Transport>>> dial(const Endpoint& endpoint, Cancel& cancel,
                                                           Instant until);
  void forget_names() { resolver_.expire(); }

 private:
  asio::awaitable<Result<Transport::Socket>> connect(std::string host, std::uint16_t port,
                                                     Cancel& cancel, Instant until);
  asio::awaitable<Result<Transport::Socket>> connect_unix(const std::string& path);
  asio::awaitable<Result<void>> open_tunnel(Transport& transport, const Endpoint& endpoint,
                                            const Proxy& proxy, Instant until);
  asio::awaitable<Result<void>> secure(Transport& transport, const Endpoint& endpoint,
                                       Instant until);

  Loop& loop_;
  const ClientOptions& options_;
  Resolver resolver_;
  ProxyRules proxies_;
  std::unique_ptr<TlsContext> tls_;
};

}  // namespace nl::http
