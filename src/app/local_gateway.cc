#include "app/local_gateway.h"

#include <fmt/format.h>

#include "dialect/json.h"
#include "http/ask.h"
#include "http/server.h"

namespace nl::app {
namespace {

std::string reachable_host(const std::string& host) {
  if (host == "0.0.0.0" || host.empty()) return "127.0.0.1";
  return host == "::" ? "::1" : host;
}

}  // namespace

LocalGateway::LocalGateway(const config::Config& config) {
  for (const std::string& text : config.listen) {
    const auto address = http::parse_listen_address(text);
    // The certificate names this machine as others call it: from here a plain address is asked.
    if (!address || config.speaks_tls(*address)) continue;
    http::Endpoint endpoint;
    if (address->unix_path.empty()) {
      endpoint.scheme = http::Scheme::http;
      endpoint.host = reachable_host(address->host);
      endpoint.port = address->port;
      if (!base_url_.empty()) continue;
      base_url_ = "http://" + endpoint.authority();
      endpoint_ = endpoint;
    } else if (!endpoint_) {
      endpoint.scheme = http::Scheme::unix_socket;
      endpoint.host = address->unix_path;
      endpoint_ = endpoint;
    }
  }
  if (!config.tokens.empty()) {
    headers_ = fmt::format("authorization: Bearer {}\r\n", config.tokens.front().reveal());
  }
}

std::string LocalGateway::name() const {
  if (!base_url_.empty() || !endpoint_) return base_url_;
  return "unix:" + endpoint_->host;
}

Result<std::string> LocalGateway::get(std::string_view path, Duration within) const {
  if (!endpoint_)
    return fail(ErrorCode::config,
                "no address of the configuration can be asked from here; "
                "listen on 127.0.0.1 or unix:/PATH too");
  return http::ask(http::Question{*endpoint_, std::string(path), headers_, within});
}

bool LocalGateway::up(Duration within) const {
  const auto body = get("/nightlight/status", within);
  if (!body) return false;
  dialect::Document document;
  if (!document.parse(*body)) return false;
  return document.root()["pid"].exists() && document.root()["tiers"].is_array();
}

}  // namespace nl::app
