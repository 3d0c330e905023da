#include "gateway/admission.h"

#include <array>

#include "gateway/credential.h"

namespace nl::gateway {
namespace {

using dialect::DialectId;
using http::same_name;

// A Host or an authority without its port and brackets.
std::string_view host_only(std::string_view authority) {
  if (authority.starts_with('[')) {
    const std::size_t end = authority.find(']');
    return end == std::string_view::npos ? authority : authority.substr(1, end - 1);
  }
  const std::size_t colon = authority.rfind(':');
  return colon == std::string_view::npos ? authority : authority.substr(0, colon);
}

// 127.0.0.0/8 in its dotted form; other spellings of a number are not names of this machine.
bool is_loopback_v4(std::string_view host) {
  if (!host.starts_with("127.")) return false;
  int parts = 1;
  int value = 0;
  int digits = 0;
  for (const char c : host) {
    if (c == '.') {
      if (digits == 0) return false;
      ++parts;
      value = digits = 0;
    } else if (c >= '0' && c <= '9') {
      value = value * 10 + (c - '0');
      if (++digits > 3 || value > 255) return false;
    } else {
      return false;
    }
  }
  return parts == 4 && digits > 0;
}

bool names_this_machine(std::string_view host, std::string_view local_address,
                        const GatewayOptions& options) {
  if (host.empty()) return false;
  if (is_loopback_v4(host) || host == "::1" || same_name(host, "localhost")) return true;
  if (same_name(host, "host.docker.internal")) return true;
  if (same_name(host, "host.containers.internal")) return true;
  if (!local_address.empty() && same_name(host, local_address)) return true;
  for (const std::string& allowed : options.hosts) {
    if (same_name(host, host_only(allowed))) return true;
  }
  return false;
}

bool origin_is_ours(std::string_view origin, std::string_view local_address,
                    const GatewayOptions& options) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!origin.starts_with(scheme)) continue;
    const std::string_view authority = origin.substr(scheme.size());
    if (authority.find_first_of("/@?#") != std::string_view::npos) return false;
    return names_this_machine(host_only(authority), local_address, options);
  }
  return false;
}

constexpr std::string_view kMessages = "/v1/messages";
constexpr std::string_view kChat = "/v1/chat/completions";

struct VendorRoute {
  std::string_view prefix;
  DialectId dialect;
};
// Routes of the vendors that carry no conversation we could answer elsewhere.
constexpr std::array kVendorRoutes = {
    VendorRoute{"/v1/messages/batches", DialectId::anthropic},
    VendorRoute{"/v1/skills", DialectId::anthropic},
    VendorRoute{"/v1/complete", DialectId::anthropic},
    VendorRoute{"/v1/embeddings", DialectId::openai_chat},
    VendorRoute{"/v1/moderations", DialectId::openai_chat},
    VendorRoute{"/v1/audio", DialectId::openai_chat},
    VendorRoute{"/v1/images", DialectId::openai_chat},
    VendorRoute{"/v1/batches", DialectId::openai_chat},
    VendorRoute{"/v1/completions", DialectId::openai_chat},
};

bool speaks_anthropic(const http::RequestHead& head) {
  return head.headers.find("anthropic-version").has_value() ||
         head.headers.find("x-api-key").has_value();
}

// "/openai/v1//v1/messages/" -> "/v1/messages"; paths outside the vendors' stay as they are.
std::string normalise(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  for (const std::string_view prefix : {"/anthropic", "/openai"}) {
    if (path.starts_with(prefix) && path.substr(prefix.size()).starts_with('/')) {
      path.remove_prefix(prefix.size());
    }
  }
  bool versioned = false;
  while (path.starts_with("/v1/") || path.starts_with("//")) {
    versioned = versioned || path.starts_with("/v1/");
    path.remove_prefix(path.starts_with("//") ? 1 : 3);
  }
  const bool bare = path.starts_with("/messages") || path.starts_with("/chat/") ||
                    path == "/models" || path.starts_with("/models/") || path == "/responses";
  std::string made(versioned || bare ? "/v1" : "");
  made.append(path);
  return made;
}

bool starts_segment(std::string_view path, std::string_view prefix) {
  return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

}  // namespace

DialectId dialect_for_path(std::string_view path) {
  const bool openai = path.find("/chat/") != std::string_view::npos ||
                      path.find("/responses") != std::string_view::npos ||
                      path.find("/openai") != std::string_view::npos;
  return openai ? DialectId::openai_chat : DialectId::anthropic;
}

namespace {

// What a normalised path asks for; its `path` stays empty.
RouteMatch match_path(std::string_view path, const http::RequestHead& head) {
  const bool get = head.method == "GET" || head.method == "HEAD";
  const bool post = head.method == "POST";
  if (path == kMessages) return {RouteKind::messages, DialectId::anthropic, {}, !post};
  if (path == kChat) return {RouteKind::chat_completions, DialectId::openai_chat, {}, !post};
  if (path == "/v1/messages/count_tokens") {
    return {RouteKind::count_tokens, DialectId::anthropic, {}, !post};
  }
  const DialectId guess = speaks_anthropic(head) ? DialectId::anthropic : DialectId::openai_chat;
  if (path == "/v1/models" || path.starts_with("/v1/models/")) {
    return {RouteKind::models, guess, {}, !get};
  }
  if (path == "/" || path == "/api/hello" || path == "/healthz") {
    return {RouteKind::alive, guess, {}, !get};
  }
  if (path.starts_with("/nightlight/")) return {RouteKind::own, guess, {}, false};
  for (const VendorRoute& route : kVendorRoutes) {
    if (starts_segment(path, route.prefix)) return {RouteKind::vendor, route.dialect, {}, false};
  }
  if (starts_segment(path, "/v1/files")) return {RouteKind::vendor, guess, {}, false};
  return {RouteKind::unknown, dialect_for_path(path), {}, false};
}

}  // namespace

RouteMatch match_route(const http::RequestHead& head) {
  const bool upgrade = head.headers.find("upgrade").has_value();
  // The two that nearly every request asks for, as nearly everybody writes them.
  if (!upgrade && (head.path == kMessages || head.path == kChat)) {
    return match_path(head.path, head);
  }
  std::string path = normalise(head.path);
  RouteMatch match = match_path(path, head);
  if (upgrade) match = {RouteKind::upgrade, dialect_for_path(path), {}, false};
  match.path = std::move(path);
  return match;
}

std::optional<Error> check_admission(const http::RequestHead& head, RouteKind kind,
                                     std::string_view local_address,
                                     const GatewayOptions& options) {
  // HTTP/1.0 may come without a Host; the address it arrived on is then the only name.
  const std::string_view host = head.host.empty() ? local_address : host_only(head.host);
  if (!names_this_machine(host, local_address, options)) {
    return Error(ErrorCode::forbidden,
                 "this Host is not served here; add it to `hosts` if it should be", 421);
  }
  const std::string_view origin = head.headers.find("origin").value_or("");
  if (!origin.empty() && !origin_is_ours(origin, local_address, options)) {
    return Error(ErrorCode::forbidden, "requests from web pages are refused (foreign Origin)", 403);
  }
  const std::string_view site = head.headers.find("sec-fetch-site").value_or("");
  if (same_name(site, "cross-site")) {
    return Error(ErrorCode::forbidden, "requests from web pages are refused (cross-site)", 403);
  }
  // A page can send a body without a preflight only as a form or plain text.
  const bool browser = !origin.empty() || !site.empty();
  const std::string_view type = head.headers.find("content-type").value_or("");
  if (browser && head.method == "POST" && !type.starts_with("application/json")) {
    return Error(ErrorCode::forbidden, "content-type must be application/json", 403);
  }
  // Clients ask whether we are alive without a credential.
  const bool open = kind == RouteKind::alive;
  if (!open && !options.tokens.empty() && !presents_token(head, options.tokens)) {
    return Error(ErrorCode::unauthorized, "this gateway needs its token as the API key", 401);
  }
  return std::nullopt;
}

}  // namespace nl::gateway
