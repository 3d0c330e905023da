#include "gateway/models.h"

#include <fmt/format.h>

#include <set>

#include "chat/text.h"
#include "gateway/gateway.h"

namespace nl::gateway {
namespace {

using dialect::DialectId;

// Every model of every provider that could be used, once, in the order of the policy. A router's
// names carry its vendor ("openai/gpt-5.5") already; the others stand alone.
std::vector<std::string> names(const router::Policy& policy) {
  std::vector<std::string> list;
  std::set<std::string> seen;
  const auto add = [&](const std::string& name) {
    if (!name.empty() && seen.insert(name).second) list.push_back(name);
  };
  for (const router::Route& route : policy.routes) {
    if (!route.built_in && route.match.find_first_of("*?") == std::string::npos) add(route.match);
  }
  for (const router::ProviderFacts& provider : policy.providers) {
    const bool usable = provider.has_key || provider.takes_client_credential || provider.keyless;
    if (!usable) continue;
    for (const chat::ModelFacts& model : provider.models) add(model.name);
  }
  return list;
}

std::string entry(const std::string& name, DialectId dialect) {
  const std::string id = chat::escape(name);
  switch (dialect) {
    case DialectId::anthropic:
      return fmt::format(R"({{"type":"model","id":"{0}","display_name":"{0}",)"
                         R"("created_at":"2026-01-01T00:00:00Z"}})",
                         id);
    case DialectId::ollama:
      return fmt::format(R"({{"name":"{0}","model":"{0}"}})", id);
    case DialectId::openai_chat:
      return fmt::format(R"({{"id":"{}","object":"model","created":1767225600,)"
                         R"("owned_by":"nightlight"}})",
                         id);
  }
  return {};
}

}  // namespace

http::Answer models_answer(const router::Policy& policy, const RouteMatch& route,
                           DialectId dialect) {
  constexpr std::string_view kPrefix = "/v1/models/";
  const std::vector<std::string> all = names(policy);
  http::Answer answer;
  if (route.path.starts_with(kPrefix)) {
    const std::string wanted = route.path.substr(kPrefix.size());
    for (const std::string& name : all) {
      if (name == wanted) {
        answer.body = entry(name, dialect);
        return answer;
      }
    }
    return error_answer(dialect, Error(ErrorCode::bad_request, "no such model here", 404), "");
  }
  std::string entries;
  for (const std::string& name : all) {
    entries.append(entries.empty() ? "" : ",").append(entry(name, dialect));
  }
  switch (dialect) {
    case DialectId::anthropic:
      answer.body =
          fmt::format(R"({{"data":[{}],"has_more":false,"first_id":{},"last_id":{}}})", entries,
                      all.empty() ? "null" : "\"" + chat::escape(all.front()) + "\"",
                      all.empty() ? "null" : "\"" + chat::escape(all.back()) + "\"");
      break;
    case DialectId::ollama:
      answer.body = fmt::format(R"({{"models":[{}]}})", entries);
      break;
    case DialectId::openai_chat:
      answer.body = fmt::format(R"({{"object":"list","data":[{}]}})", entries);
      break;
  }
  return answer;
}

}  // namespace nl::gateway
