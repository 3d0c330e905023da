#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "config/parse.h"
#include "config/url.h"
#include "http/server.h"
#include "http/tls_server.h"

namespace nl::config {
namespace {

void parse_hosts(TableReader& top, Parsing& parsing) {
  const auto hosts = top.texts("hosts");
  if (!hosts) return;
  for (const Located& host : *hosts) {
    const bool fits = !host.text.empty() && host.text.size() <= 253 &&
                      std::all_of(host.text.begin(), host.text.end(), [](char c) {
                        return c > 0x20 && c < 0x7f && c != '/' && c != '*' && c != '@';
                      });
    if (fits) {
      parsing.config.hosts.push_back(host.text);
    } else {
      top.mistake(host.place, "hosts", "holds something that is no host name",
                  "write names as \"gateway.example\", without a scheme or a star");
    }
  }
}

void parse_auth(TableReader& top, Parsing& parsing) {
  const toml::table* table = top.table("auth");
  if (table == nullptr) return;
  TableReader reader(*table, "[auth]", parsing.mistakes);
  if (const auto tokens = reader.texts("token")) {
    for (const Located& written : *tokens) {
      ResolvedKey key = resolve_key(written, reader, parsing);
      if (key.source == KeySource::client || key.source == KeySource::none) {
        reader.mistake(written.place, "token", "is no token",
                       "write \"env:NAME\" or \"file:PATH\"");
      } else if (!key.value.empty()) {
        parsing.config.tokens.push_back(std::move(key.value));
      } else if (key.source == KeySource::environment) {
        // Without its token the gateway would stand open, or shut, unasked.
        reader.mistake(written.place, "token", fmt::format("{} is not set", written.text),
                       "set the variable before `nightlight up`");
      }
    }
  }
  reader.finish();
}

void parse_tls(TableReader& top, Parsing& parsing) {
  const toml::table* table = top.table("tls");
  if (table == nullptr) return;
  TableReader reader(*table, "[tls]", parsing.mistakes);
  const auto certificate = reader.text("certificate");
  const auto key = reader.text("key");
  reader.finish();
  if (!certificate || !key) {
    reader.mistake(reader.place(), certificate ? "key" : "certificate", "is missing",
                   "name two PEM files: certificate = \"/PATH/fullchain.pem\", "
                   "key = \"/PATH/privkey.pem\"");
    return;
  }
  for (const Located* file : {&*certificate, &*key}) {
    if (file->text.starts_with('/')) continue;
    const char* const name = file == &*key ? "key" : "certificate";
    reader.mistake(file->place, name, "depends on the working directory", "write the whole path");
    return;
  }
  auto identity = http::TlsIdentity::load(certificate->text, key->text);
  if (identity) {
    parsing.config.tls = std::move(*identity);
    return;
  }
  const bool of_key = identity.error().message.starts_with(key->text + " ");
  reader.mistake(of_key ? key->place : certificate->place, of_key ? "key" : "certificate",
                 identity.error().message, "");
}

bool is_local_address(const http::ListenAddress& address) {
  return !address.unix_path.empty() || is_loopback(address.host);
}

}  // namespace

bool Config::speaks_tls(const http::ListenAddress& address) const {
  return tls != nullptr && !is_local_address(address);
}

Place parse_entry(TableReader& top, Parsing& parsing) {
  Config& config = parsing.config;
  Place place;
  if (const auto listen = top.texts("listen")) {
    config.listen.clear();
    config.listen_is_default = false;
    for (const Located& address : *listen) {
      if (config.listen.empty()) place = address.place;
      config.listen.push_back(address.text);
    }
    if (listen->empty()) {
      top.mistake(top.place(), "listen", "is empty", "write listen = \"127.0.0.1:2300\"");
    }
  }
  if (const auto n = top.whole("workers", {1, 256}, "")) config.workers = static_cast<int>(*n);
  parse_hosts(top, parsing);
  config.behind_proxy = top.flag("behind_proxy").value_or(false);
  parse_auth(top, parsing);
  parse_tls(top, parsing);
  return place;
}

void check_listen(Parsing& parsing, Place place) {
  const Config& config = parsing.config;
  std::set<std::string> seen;
  for (const std::string& text : config.listen) {
    const auto address = http::parse_listen_address(text);
    if (!address) {
      parsing.mistakes.add(place, "listen: " + address.error().message,
                           "write \"127.0.0.1:2300\", \"[::1]:2300\" or \"unix:/PATH\"");
      continue;
    }
    if (!address->unix_path.empty() && address->unix_path.front() != '/') {
      parsing.mistakes.add(place,
                           fmt::format("listen: \"{}\" depends on the working directory", text),
                           "write the whole path");
    }
    if (!seen.insert(text).second) {
      parsing.mistakes.add(place, fmt::format("listen: \"{}\" is there twice", text), "remove one");
    }
    if (is_local_address(*address)) continue;
    if (config.tokens.empty()) {
      parsing.mistakes.add(
          place, fmt::format("listen: {} can be reached by others and no token is asked for", text),
          "add [auth] token = \"env:NAME\", or listen on 127.0.0.1");
    }
    if (!config.behind_proxy && !config.tls) {
      parsing.mistakes.add(
          place, fmt::format("listen: {} can be reached by others without TLS", text),
          "add [tls] certificate and key, or put a TLS proxy before it and write behind_proxy = "
          "true, or listen on 127.0.0.1");
    }
  }
}

}  // namespace nl::config
