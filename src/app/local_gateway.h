// LocalGateway: the gateway that may be running on this machine, as a client of it sees it.
//
// Asks over HTTP at the first address of the configuration that this machine can reach. Blocking,
// with its own loop; for the command line only.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "config/config.h"

namespace nl::app {

class LocalGateway {
 public:
  explicit LocalGateway(const config::Config& config);

  // "http://127.0.0.1:2300"; empty when it listens on unix sockets only.
  const std::string& base_url() const { return base_url_; }
  // Where to ask it; nothing when no address of the configuration can be asked from here.
  const std::optional<http::Endpoint>& endpoint() const { return endpoint_; }
  // What it wants to see: header lines with CRLF each.
  const std::string& headers() const { return headers_; }
  // Its address for people.
  std::string name() const;
  // The body of a 200 to GET `path`. Errors: connect and the like when nothing answers there,
  // status when something else than 200 came, config when no address can be asked.
  Result<std::string> get(std::string_view path, Duration within) const;
  // True when a Nightlight answers there.
  bool up(Duration within) const;

 private:
  std::optional<http::Endpoint> endpoint_;
  std::string base_url_;
  std::string headers_;
};

}  // namespace nl::app
