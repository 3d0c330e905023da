// The checks of the environment's proxy variables.
//
// Nightlight itself sends only https through a proxy and never what is for this machine; clients
// are not all so careful. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "doctor/finding.h"
#include "doctor/probe.h"

namespace nl::doctor {

struct ProxyFacts {
  std::string variable;          // "https_proxy"; empty = none is set
  std::string address;           // "proxy.office:3128", without a login; empty = cannot be read
  std::optional<Answer> answer;  // to a request to the proxy itself; nothing = not asked
  std::string plain_variable;    // that sends plain http through a proxy; empty = none
  std::string no_proxy;
};

Findings check_proxy(const ProxyFacts& proxy);

}  // namespace nl::doctor
