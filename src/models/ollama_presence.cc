#include "models/ollama_presence.h"

#include <fmt/format.h>

#include "dialect/json.h"
#include "http/ask.h"
#include "http/client.h"

namespace nl::models {
namespace {

constexpr Duration kWithin = std::chrono::milliseconds(300);
// An embedding model is in nobody's way.
constexpr std::int64_t kBytesThatMatter = 1'000'000'000;
constexpr std::size_t kNameMax = 100;

http::Endpoint daemon_of(const Environment& environment) {
  std::string named = environment.text("OLLAMA_HOST");
  if (!named.empty() && named.find("://") == std::string::npos) named = "http://" + named;
  const auto url = http::parse_base_url(named);
  http::Endpoint endpoint;
  endpoint.scheme = http::Scheme::http;
  endpoint.host = "127.0.0.1";
  endpoint.port = 11434;
  // Another machine's memory is no concern of this one; "all interfaces" is asked here.
  const bool here =
      url && (url->endpoint.host == "127.0.0.1" || url->endpoint.host == "localhost" ||
              url->endpoint.host == "::1" || url->endpoint.host == "0.0.0.0");
  if (!here) return endpoint;
  endpoint = url->endpoint;
  if (endpoint.host == "0.0.0.0") endpoint.host = "127.0.0.1";
  return endpoint;
}

std::string resident_at(const http::Endpoint& endpoint) {
  const auto body = http::ask(http::Question{endpoint, "/api/ps", "", kWithin});
  return body ? resident_model(*body) : "";
}

}  // namespace

std::string resident_model(std::string_view json) {
  dialect::Document document;
  if (!document.parse(json)) return "";
  for (dialect::Value model = document.root()["models"].first(); model; model = model.next()) {
    if (model["size"].integer().value_or(0) < kBytesThatMatter) continue;
    std::string name = model["name"].text().utf8().substr(0, kNameMax);
    for (char& c : name) {
      if (c < 0x20 || static_cast<unsigned char>(c) >= 0x7f) c = '?';
    }
    return name.empty() ? "a model" : name;
  }
  return "";
}

std::string ollama_resident(const Environment& environment) {
  return resident_at(daemon_of(environment));
}

std::function<std::string()> ollama_watch(const Environment& environment) {
  return [endpoint = daemon_of(environment)]() -> std::string {
    const std::string model = resident_at(endpoint);
    if (model.empty()) return "";
    return fmt::format(
        "Ollama holds {} in memory: nothing is loaded beside it; `ollama stop {}` "
        "makes room",
        model, model);
  };
}

}  // namespace nl::models
