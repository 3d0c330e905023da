#include "app/discover.h"

#include <algorithm>
#include <array>

#include "config/url.h"
#include "dialect/json.h"
#include "http/ask.h"
#include "http/server.h"
#include "provider/catalog.h"
#include "router/resolve.h"

namespace nl::app {
namespace {

constexpr std::size_t kModelsMax = 64;

bool is_own_address(const config::Config& config, const http::Endpoint& endpoint) {
  return std::any_of(config.listen.begin(), config.listen.end(), [&](const std::string& text) {
    const auto address = http::parse_listen_address(text);
    return address && address->unix_path.empty() && address->port == endpoint.port;
  });
}

bool can_chat(std::string_view name) {
  constexpr std::array<std::string_view, 5> kOthers = {"embed", "rerank", "whisper", "tts", "bge-"};
  return std::none_of(kOthers.begin(), kOthers.end(), [&](std::string_view word) {
    return name.find(word) != std::string_view::npos;
  });
}

void ask_server(const config::Config& config, FoundServer server, Duration within,
                std::vector<FoundServer>& found) {
  const auto url = http::parse_base_url(config::api_root(server.base_url, server.dialect));
  if (!url || is_own_address(config, url->endpoint)) return;
  const std::string route = server.dialect == dialect::DialectId::ollama ? "/api/tags" : "/models";
  const auto body = http::ask(http::Question{url->endpoint, url->path + route, "", within});
  if (!body) return;
  server.models = chat_models(*body);
  if (!server.models.empty()) found.push_back(std::move(server));
}

}  // namespace

std::vector<std::string> chat_models(std::string_view json) {
  std::vector<std::string> names;
  dialect::Document document;
  if (!document.parse(json)) return names;
  const dialect::Value root = document.root();
  const bool tags = root["models"].is_array();
  for (dialect::Value model = root[tags ? "models" : "data"].first(); model; model = model.next()) {
    const std::string name = model[tags ? "name" : "id"].text().utf8();
    const bool fits =
        !name.empty() && name.size() <= 200 && std::all_of(name.begin(), name.end(), [](char c) {
          return c > 0x20 && c < 0x7f && c != '"' && c != '\\';
        });
    // What runs on somebody else's machines is there for whoever names it, not instead of a local
    // model.
    if (fits && can_chat(name) && !router::runs_elsewhere(name) && names.size() < kModelsMax) {
      names.push_back(name);
    }
  }
  return names;
}

std::vector<FoundServer> discover(const config::Config& config, Duration within) {
  std::vector<FoundServer> found;
  for (const config::ProviderConfig& provider : config.providers) {
    const bool nameless = provider.models.empty() && provider.local && provider.key.empty();
    if (nameless) {
      ask_server(config, {provider.name, provider.base_url, {}, provider.dialect}, within, found);
    }
  }
  if (!config.discover || config.named.tiers || config.named.routes) return found;
  for (const provider::KnownProvider& known : provider::known_providers()) {
    if (!known.local || config.provider_index(known.name)) continue;
    ask_server(config, {std::string(known.name), std::string(known.base_url), {}, known.dialect},
               within, found);
  }
  return found;
}

}  // namespace nl::app
