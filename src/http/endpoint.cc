#include <charconv>

#include "http/client.h"
#include "http/fields.h"

namespace nl::http {
namespace {

std::unexpected<Error> wrong(std::string_view url, const char* why) {
  // The text may be a mistyped key: only its beginning up to the authority is shown.
  const std::string_view shown = url.substr(0, std::min<std::size_t>(url.find("://"), 12));
  return fail(ErrorCode::config, "base url " + std::string(shown) + "...: " + why);
}

bool is_url_text(std::string_view text) {
  for (const char c : text) {
    if (c <= ' ' || static_cast<unsigned char>(c) >= 0x7f) return false;
  }
  return true;
}

std::string_view without_slash(std::string_view path) {
  while (path.ends_with('/')) path.remove_suffix(1);
  return path;
}

Result<BaseUrl> parse_unix(std::string_view url, std::string_view rest) {
  const std::size_t colon = std::min(rest.find(':'), rest.size());
  BaseUrl base;
  base.endpoint.scheme = Scheme::unix_socket;
  base.endpoint.host = rest.substr(0, colon);
  base.endpoint.port = 0;
  if (!base.endpoint.host.starts_with('/')) return wrong(url, "a socket needs an absolute path");
  if (colon < rest.size()) base.path = without_slash(rest.substr(colon + 1));
  if (!base.path.empty() && !base.path.starts_with('/')) return wrong(url, "malformed path");
  return base;
}

// Splits "host:port" or "[v6]:port", which is_host() has accepted.
void set_authority(std::string_view text, Endpoint& endpoint) {
  std::size_t host_end = text.find(':');
  if (text.starts_with('[')) {
    const std::size_t bracket = text.find(']');
    endpoint.host = text.substr(1, bracket - 1);
    host_end = text.find(':', bracket);
  } else {
    endpoint.host = text.substr(0, host_end);
  }
  if (host_end == std::string_view::npos) return;
  const std::string_view digits = text.substr(host_end + 1);
  std::from_chars(digits.data(), digits.data() + digits.size(), endpoint.port);
}

}  // namespace

std::string Endpoint::authority() const {
  if (scheme == Scheme::unix_socket) return "localhost";
  std::string text = host.find(':') == std::string::npos ? host : "[" + host + "]";
  const bool usual = scheme == Scheme::https ? port == 443 : port == 80;
  if (!usual) text += ":" + std::to_string(port);
  return text;
}

Result<BaseUrl> parse_base_url(std::string_view url) {
  if (!is_url_text(url)) return wrong(url, "spaces or characters that must be encoded");
  if (url.find_first_of("?#") != std::string_view::npos) return wrong(url, "query or fragment");
  if (url.starts_with("unix:")) return parse_unix(url, url.substr(5));
  const std::size_t scheme_end = url.find("://");
  if (scheme_end == std::string_view::npos) return wrong(url, "no scheme; write https://HOST");
  BaseUrl base;
  if (same_name(url.substr(0, scheme_end), "https")) {
    base.endpoint.scheme = Scheme::https;
    base.endpoint.port = 443;
  } else if (same_name(url.substr(0, scheme_end), "http")) {
    base.endpoint.scheme = Scheme::http;
    base.endpoint.port = 80;
  } else {
    return wrong(url, "scheme is neither http, https nor unix");
  }
  const std::string_view rest = url.substr(scheme_end + 3);
  const std::size_t authority_end = std::min(rest.find('/'), rest.size());
  const std::string_view authority = rest.substr(0, authority_end);
  if (authority.find('@') != std::string_view::npos) return wrong(url, "credentials in a url");
  if (!is_host(authority)) return wrong(url, "malformed host or port");
  set_authority(authority, base.endpoint);
  base.path = without_slash(rest.substr(authority_end));
  return base;
}

}  // namespace nl::http
