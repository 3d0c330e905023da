#include "doctor/proxies.h"

#include <fmt/format.h>

#include <array>
#include <string_view>

namespace nl::doctor {
namespace {

bool spares_loopback(std::string_view no_proxy) {
  constexpr std::array<std::string_view, 4> kRules = {"*", "127.0.0.1", "127.0.0.0/8", "127."};
  while (!no_proxy.empty()) {
    const std::size_t end = std::min(no_proxy.find_first_of(", "), no_proxy.size());
    for (const std::string_view rule : kRules) {
      if (no_proxy.substr(0, end) == rule) return true;
    }
    no_proxy.remove_prefix(std::min(end + 1, no_proxy.size()));
  }
  return false;
}

// Any bytes at all mean that somebody is there.
bool is_there(const Answer& answer) {
  if (answer.answered()) return true;
  const ErrorCode code = answer.error->code;
  return code == ErrorCode::protocol || code == ErrorCode::reset || code == ErrorCode::truncated;
}

}  // namespace

Findings check_proxy(const ProxyFacts& proxy) {
  Findings findings;
  if (!proxy.variable.empty() && proxy.address.empty()) {
    findings.push_back(found(
        Kind::proxy_dead, fmt::format("{} is not the address of a proxy", proxy.variable),
        fmt::format("export {}=http://HOST:PORT, or unset {}", proxy.variable, proxy.variable)));
  }
  if (proxy.answer && !is_there(*proxy.answer)) {
    findings.push_back(found(Kind::proxy_dead,
                             fmt::format("the proxy {} of {} does not answer: {}", proxy.address,
                                         proxy.variable, proxy.answer->error->message),
                             fmt::format("start the proxy, or unset {}", proxy.variable)));
  }
  if (!proxy.plain_variable.empty() && !spares_loopback(proxy.no_proxy)) {
    findings.push_back(found(
        Kind::proxy_catches_loopback,
        fmt::format("{} is set and no_proxy does not name 127.0.0.1: clients would ask the proxy "
                    "for Nightlight",
                    proxy.plain_variable),
        fmt::format("export NO_PROXY=127.0.0.1,localhost,::1{}",
                    proxy.no_proxy.empty() ? "" : "," + proxy.no_proxy)));
  }
  return findings;
}

}  // namespace nl::doctor
