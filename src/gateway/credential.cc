#include "gateway/credential.h"

namespace nl::gateway {
namespace {

using router::Vendor;

std::string_view bearer(const http::RequestHead& head) {
  const std::string_view value = head.headers.find("authorization").value_or("");
  if (value.size() < 7 || !http::same_name(value.substr(0, 7), "bearer ")) return {};
  return value.substr(7);
}

std::string_view query_key(const http::RequestHead& head) {
  std::string_view query = head.query;
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view part = query.substr(0, end);
    if (part.starts_with("key=")) return part.substr(4);
    query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
  }
  return {};
}

bool matches(std::string_view presented, const std::vector<Secret>& tokens) {
  bool found = false;
  for (const Secret& token : tokens) found = token.equals(presented) || found;
  return found && !presented.empty();
}

Vendor vendor_of(std::string_view credential, dialect::DialectId dialect) {
  if (credential.starts_with("sk-ant-")) return Vendor::anthropic;
  if (credential.starts_with("sk-or-")) return Vendor::openrouter;
  if (credential.starts_with("AIza")) return Vendor::gemini;
  if (credential.starts_with("sk-proj-")) return Vendor::openai;
  switch (dialect) {
    case dialect::DialectId::anthropic:
      return Vendor::anthropic;
    case dialect::DialectId::openai_chat:
      return Vendor::openai;
    case dialect::DialectId::ollama:
      break;
  }
  return Vendor::other;
}

}  // namespace

ClientCredential client_credential(const http::RequestHead& head, dialect::DialectId dialect,
                                   const std::vector<Secret>& tokens) {
  ClientCredential found;
  const std::string_view api_key = head.headers.find("x-api-key").value_or("");
  const std::string_view token = bearer(head);
  const std::string_view presented = api_key.empty() ? token : api_key;
  // `run` gives a client without any credential this word, so that it starts at all.
  const bool stand_in = presented == "nightlight";
  if (presented.empty() || stand_in || matches(presented, tokens)) return found;
  found.vendor = vendor_of(presented, dialect);
  found.mark = Secret(presented).fingerprint();
  // A Claude subscription login is a bearer token with the OAuth beta beside it (PROTOCOLS 2).
  const std::string_view betas = head.headers.find("anthropic-beta").value_or("");
  found.subscription =
      found.vendor == Vendor::anthropic && api_key.empty() &&
      (token.starts_with("sk-ant-oat") || betas.find("oauth-") != std::string_view::npos);
  return found;
}

bool presents_token(const http::RequestHead& head, const std::vector<Secret>& tokens) {
  const bool by_key = matches(head.headers.find("x-api-key").value_or(""), tokens);
  const bool by_bearer = matches(bearer(head), tokens);
  return matches(query_key(head), tokens) || by_bearer || by_key;
}

}  // namespace nl::gateway
