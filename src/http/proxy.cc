#include "http/proxy.h"

#include <algorithm>

#include "http/head.h"
#include "http/resolver.h"

namespace nl::http {
namespace {

std::string base64(std::string_view bytes) {
  constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      group = group << 8 | (i < count ? static_cast<unsigned char>(bytes[at + i]) : 0U);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      text += i <= count ? alphabet[(group >> (18 - 6 * i)) & 63] : '=';
    }
  }
  return text;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string percent_decoded(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool triplet = text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
                         hex_digit(text[i + 2]) >= 0;
    plain +=
        triplet ? static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2])) : text[i];
    if (triplet) i += 2;
  }
  return plain;
}

bool ends_with_domain(std::string_view host, std::string_view domain) {
  if (host.size() < domain.size()) return false;
  if (!same_name(host.substr(host.size() - domain.size()), domain)) return false;
  return host.size() == domain.size() || host[host.size() - domain.size() - 1] == '.';
}

}  // namespace

ProxyRules::ProxyRules(std::string_view https_proxy, std::string_view no_proxy) {
  while (!no_proxy.empty()) {
    const std::size_t end = std::min(no_proxy.find_first_of(", "), no_proxy.size());
    if (end > 0) exceptions_.emplace_back(no_proxy.substr(0, end));
    no_proxy.remove_prefix(std::min(end + 1, no_proxy.size()));
  }
  if (https_proxy.empty()) return;
  std::string url(https_proxy);
  if (url.find("://") == std::string::npos) url.insert(0, "http://");
  Proxy proxy;
  const std::size_t authority = url.find("://") + 3;
  const std::size_t at = url.find('@', authority);
  if (at != std::string::npos) {
    const std::string login = percent_decoded(url.substr(authority, at - authority));
    proxy.authorization = Secret("Basic " + base64(login));
    url.erase(authority, at + 1 - authority);
  }
  const auto parsed = parse_base_url(url);
  malformed_ = !parsed || parsed->endpoint.scheme != Scheme::http;
  if (malformed_) return;
  proxy.host = parsed->endpoint.host;
  proxy.port = parsed->endpoint.port;
  proxy_ = std::move(proxy);
}

bool ProxyRules::excluded(const Endpoint& endpoint) const {
  if (is_loopback_host(endpoint.host)) return true;
  const std::string with_port = endpoint.host + ":" + std::to_string(endpoint.port);
  return std::any_of(exceptions_.begin(), exceptions_.end(), [&](std::string_view rule) {
    if (rule == "*") return true;
    if (rule.starts_with("*.")) rule.remove_prefix(1);
    if (rule.starts_with('.')) rule.remove_prefix(1);
    return ends_with_domain(endpoint.host, rule) || ends_with_domain(with_port, rule);
  });
}

Result<std::optional<Proxy>> ProxyRules::proxy_for(const Endpoint& endpoint) const {
  if (endpoint.scheme != Scheme::https || excluded(endpoint)) return std::optional<Proxy>();
  if (malformed_) return fail(ErrorCode::config, "https_proxy is not an http:// url");
  return proxy_;
}

}  // namespace nl::http
