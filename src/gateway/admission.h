// Admission: who may speak to the gateway, and what a path asks for. Decided on the head alone.
//
// Host must name this machine (DESIGN 5), a foreign Origin or a cross-site fetch is refused, and
// where tokens are configured one must be presented. Paths are matched with the tolerance of
// PROTOCOLS 7.23: missing or doubled /v1, a trailing slash, /openai and /anthropic prefixes. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "dialect/dialect.h"
#include "gateway/options.h"
#include "http/head.h"

namespace nl::gateway {

enum class RouteKind : std::uint8_t {
  messages,          // Anthropic, POST
  count_tokens,      // Anthropic, POST
  chat_completions,  // OpenAI, POST
  models,            // GET
  alive,             // HEAD / and /api/hello, GET /healthz
  own,               // /nightlight/...: status
  vendor,            // an allow-listed route of a vendor, straight through
  upgrade,           // a WebSocket offer we decline
  unknown,
};

struct RouteMatch {
  RouteKind kind = RouteKind::unknown;
  dialect::DialectId dialect = dialect::DialectId::anthropic;  // whose errors to speak
  std::string path;  // normalised: "/v1/..."; may be empty for messages and chat_completions
  bool wrong_method = false;
};

RouteMatch match_route(const http::RequestHead& head);

// The dialect whose error shape suits `path` when nothing else is known.
dialect::DialectId dialect_for_path(std::string_view path);

// Nothing when the request may go on; else the refusal (421, 403, 401).
std::optional<Error> check_admission(const http::RequestHead& head, RouteKind kind,
                                     std::string_view local_address, const GatewayOptions& options);

}  // namespace nl::gateway
