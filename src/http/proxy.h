// ProxyRules: whether a connection goes through the HTTP proxy that the environment names, and
// which.
//
// Only https goes through it (by CONNECT, so that TLS stays end to end); loopback never does.
// Built once from text; pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/secret.h"
#include "http/client.h"

namespace nl::http {

struct Proxy {
  std::string host;
  std::uint16_t port = 0;
  Secret authorization;  // value of Proxy-Authorization; empty = none
};

class ProxyRules {
 public:
  ProxyRules(std::string_view https_proxy, std::string_view no_proxy);

  // The proxy for `endpoint`, or nothing. Errors: config, when the variable makes no sense.
  Result<std::optional<Proxy>> proxy_for(const Endpoint& endpoint) const;

 private:
  bool excluded(const Endpoint& endpoint) const;

  std::optional<Proxy> proxy_;
  bool malformed_ = false;
  std::vector<std::string> exceptions_;
};

}  // namespace nl::http
