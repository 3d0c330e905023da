#include "provider/provider.h"

#include <algorithm>
#include <array>

#include "base/version.h"

namespace nl::provider {
namespace {

using http::same_name;

constexpr std::size_t kErrorBodyMax = 64 * 1024;
constexpr std::chrono::seconds kErrorBodyWait{2};

// Header names of a client that go along to its own vendor (PROTOCOLS 2). Everything else stays
// here: connection, cookies, forwarding marks, and whatever we do not know.
constexpr std::array<std::string_view, 13> kClientNames = {
    "accept",     "accept-encoding", "accept-language",   "content-type", "user-agent",
    "x-app",      "idempotency-key", "http-referer",      "x-title",      "x-client-request-id",
    "session-id", "thread-id",       "x-session-affinity"};
constexpr std::array<std::string_view, 4> kClientPrefixes = {"anthropic-", "x-stainless-",
                                                             "x-claude-", "openai-"};
constexpr std::array<std::string_view, 2> kCredentialNames = {"authorization", "x-api-key"};

// Answer headers that inform a verdict or that a client reads.
constexpr std::array<std::string_view, 9> kAnswerNames = {
    "retry-after", "retry-after-ms",  "request-id",     "x-request-id",        "x-should-retry",
    "cf-ray",      "x-generation-id", "openai-version", "openai-processing-ms"};
constexpr std::array<std::string_view, 3> kAnswerPrefixes = {"anthropic-ratelimit-", "x-ratelimit-",
                                                             "x-codex-"};

bool begins_with(std::string_view name, std::string_view prefix) {
  // Nearly every comparison ends at the first letter.
  return name.size() >= prefix.size() && (name.front() | 0x20) == (prefix.front() | 0x20) &&
         same_name(name.substr(0, prefix.size()), prefix);
}

template <std::size_t N, std::size_t P>
bool listed(std::string_view name, const std::array<std::string_view, N>& names,
            const std::array<std::string_view, P>& prefixes) {
  for (const std::string_view known : names) {
    if (name.size() == known.size() && same_name(name, known)) return true;
  }
  for (const std::string_view prefix : prefixes) {
    if (begins_with(name, prefix)) return true;
  }
  return false;
}

bool is_credential(std::string_view name) {
  return same_name(name, kCredentialNames[0]) || same_name(name, kCredentialNames[1]);
}

void add_line(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

void add_key(std::string& out, const Setting& setting) {
  switch (setting.auth) {
    case AuthScheme::none:
      return;
    case AuthScheme::bearer:
      out.append("authorization: Bearer ").append(setting.key.reveal()).append("\r\n");
      return;
    case AuthScheme::x_api_key:
      add_line(out, "x-api-key", setting.key.reveal());
      return;
  }
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  return out;
}

// `key=` in a query is a credential carrier and never goes further.
std::string query_without_key(std::string_view query) {
  std::string kept;
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view part = query.substr(0, end);
    if (!part.starts_with("key=")) kept.append(kept.empty() ? "" : "&").append(part);
    query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
  }
  return kept;
}

std::unique_ptr<Refusal> refusal(Error error) {
  auto made = std::make_unique<Refusal>();
  made->error = std::move(error);
  return made;
}

bool says_html(std::string_view content_type) {
  return begins_with(content_type, "text/html");
}

std::string_view accepted(dialect::DialectId id, bool stream) {
  if (!stream) return "application/json";
  switch (dialect::dialect(id).framing()) {
    case dialect::Framing::sse:
      return "text/event-stream";
    case dialect::Framing::ndjson:
      return "application/x-ndjson";
  }
  return "application/json";
}

// A stream that was asked for is read as one unless something else is stated: servers exist that
// state nothing, or just any text.
bool comes_as_events(std::string_view content_type, bool asked) {
  if (begins_with(content_type, "text/event-stream")) return true;
  if (begins_with(content_type, "application/x-ndjson")) return true;
  return asked && !begins_with(content_type, "application/json");
}

}  // namespace

std::vector<std::pair<std::string, std::string>> informative_headers(const http::Headers& headers) {
  std::vector<std::pair<std::string, std::string>> kept;
  for (const http::Header& field : headers.all()) {
    if (listed(field.name, kAnswerNames, kAnswerPrefixes)) {
      kept.emplace_back(lower(field.name), std::string(field.value));
    }
  }
  return kept;
}

std::string header_lines(const Setting& setting, const ClientSide& client, bool stream) {
  std::string out;
  out.reserve(512);
  if (client.pass_headers) {
    for (const http::Header& field : client.head->headers.all()) {
      const bool credential = is_credential(field.name);
      if (credential ? client.pass_credential : listed(field.name, kClientNames, kClientPrefixes)) {
        add_line(out, field.name, field.value);
      }
    }
    if (!client.pass_credential) add_key(out, setting);
    return out;
  }
  add_line(out, "accept", accepted(setting.dialect, stream));
  add_line(out, "content-type", "application/json");
  out.append("user-agent: nightlight/").append(kVersion).append("\r\n");
  if (setting.dialect == dialect::DialectId::anthropic) {
    add_line(out, "anthropic-version", "2023-06-01");
  }
  if (setting.openrouter) add_line(out, "x-title", "Nightlight");
  if (client.pass_credential) {
    for (const http::Header& field : client.head->headers.all()) {
      if (is_credential(field.name)) add_line(out, field.name, field.value);
    }
  } else {
    add_key(out, setting);
  }
  return out;
}

http::asio::awaitable<Result<std::string_view>> Opening::read(Instant until) {
  return inflater == nullptr ? call->read(until) : read_inflated(until);
}

http::asio::awaitable<Result<std::string_view>> Opening::read_inflated(Instant until) {
  for (;;) {
    Result<std::string_view> piece = co_await call->read(until);
    if (!piece) co_return piece;
    if (piece->empty()) {
      if (!inflater->complete()) co_return fail(ErrorCode::truncated, "compressed answer cut");
      co_return piece;
    }
    Result<std::string_view> plain = inflater->feed(*piece);
    if (!plain || !plain->empty()) co_return plain;
  }
}

namespace {

// Shorter ones would be found in ordinary words.
constexpr std::size_t kHiddenBytesMin = 8;

void hide(std::string& text, std::string_view secret) {
  constexpr std::string_view kInstead = "[key]";
  if (secret.size() < kHiddenBytesMin) return;
  for (std::size_t at = text.find(secret); at != std::string::npos;
       at = text.find(secret, at + kInstead.size())) {
    text.replace(at, secret.size(), kInstead);
  }
}

}  // namespace

void Provider::hide_credentials(std::string& text, const ClientSide& client) const {
  if (text.empty()) return;
  if (!setting_.key.empty()) hide(text, setting_.key.reveal());
  for (const http::Header& field : client.head->headers.all()) {
    if (!is_credential(field.name)) continue;
    hide(text, field.value.substr(field.value.rfind(' ') + 1));
  }
}

Provider::Provider(http::Client& client, Setting setting)
    : client_(client), setting_(std::move(setting)) {}

std::string Provider::target_for(const Try& attempt) const {
  if (attempt.operation == Operation::tokenize) return "/tokenize";
  std::string target = setting_.base.path;
  switch (setting_.dialect) {
    case dialect::DialectId::anthropic:
      if (target.ends_with("/v1")) target.resize(target.size() - 3);
      target += attempt.operation == Operation::count_tokens ? "/v1/messages/count_tokens"
                                                             : "/v1/messages";
      break;
    case dialect::DialectId::openai_chat:
      if (target.empty()) target = "/v1";
      target += "/chat/completions";
      // Only the engine has this one.
      if (attempt.operation == Operation::count_tokens) target += "/input_tokens";
      break;
    case dialect::DialectId::ollama:
      if (target.ends_with("/v1")) target.resize(target.size() - 3);
      target += "/api/chat";
      break;
  }
  if (attempt.client.pass_headers) {
    const std::string query = query_without_key(attempt.client.head->query);
    if (!query.empty()) target.append("?").append(query);
  }
  return target;
}

namespace {

// Nothing to start is the machine's set-up; one that is still on its way was asked nothing yet.
Error not_ready(Error error) {
  if (error.code == ErrorCode::cancelled) return error;
  error.code = error.code == ErrorCode::timeout ? ErrorCode::connect : ErrorCode::config;
  return error;
}

// Reads a small body to its end, so that the connection can be kept; stops at the limits.
http::asio::awaitable<std::string> drain(Opening& opening, Instant until) {
  std::string body;
  while (body.size() < kErrorBodyMax) {
    const Result<std::string_view> piece = co_await opening.read(until);
    if (!piece || piece->empty()) break;
    body.append(piece->substr(0, kErrorBodyMax - body.size()));
  }
  co_return body;
}

// What a head that is not a usable 2xx means before its body is looked at.
Error head_error(int status, std::string_view content_type) {
  if (status >= 300 && status < 400) {
    return Error(ErrorCode::not_an_answer, "redirect, not followed", status);
  }
  if (status >= 200 && status < 300) {
    return Error(ErrorCode::not_an_answer,
                 says_html(content_type) ? "a web page where an answer was due"
                                         : "a success without an answer",
                 status);
  }
  if (status == 511) return Error(ErrorCode::not_an_answer, "network login required", status);
  return Error(ErrorCode::status, "status " + std::to_string(status), status);
}

}  // namespace

http::asio::awaitable<Opened> Provider::open(Try attempt, http::Cancel& cancel) {
  const std::string target = target_for(attempt);
  const std::string headers = header_lines(setting_, attempt.client, attempt.stream);
  http::Outgoing outgoing;
  outgoing.method = "POST";
  outgoing.target = target;
  outgoing.headers = headers;
  outgoing.body = attempt.body;
  std::optional<http::Endpoint> engine;
  if (setting_.engine != nullptr) {
    auto there = co_await setting_.engine->ready(cancel, attempt.head_until);
    if (!there) co_return refusal(not_ready(std::move(there.error())));
    engine = std::move(*there);
  }
  const http::Endpoint& endpoint = engine ? *engine : setting_.base.endpoint;
  auto call = co_await client_.send(endpoint, outgoing, cancel, attempt.head_until);
  if (!call) co_return refusal(std::move(call.error()));

  Opening opening;
  opening.call = std::move(*call);
  const http::ResponseHead& head = opening.call->head();
  const std::string_view content_type = head.headers.find("content-type").value_or("");
  const std::string_view coding = head.headers.find("content-encoding").value_or("");
  auto inflater = http::make_inflater(coding);
  if (!inflater) co_return refusal(std::move(inflater.error()));
  opening.inflater = std::move(*inflater);
  opening.event_stream = comes_as_events(content_type, attempt.stream);
  const bool good = (head.status == 200 || head.status == 201) && !says_html(content_type);
  if (good) co_return opening;
  std::unique_ptr<Refusal> refused = co_await read_refusal(opening, attempt);
  co_return refused;
}

http::asio::awaitable<std::unique_ptr<Refusal>> Provider::read_refusal(Opening& opening,
                                                                       const Try& attempt) {
  const http::ResponseHead& head = opening.call->head();
  const std::string_view content_type = head.headers.find("content-type").value_or("");
  std::unique_ptr<Refusal> made = refusal(head_error(head.status, content_type));
  made->headers = informative_headers(head.headers);
  made->content_type = content_type;
  const Instant until =
      std::min(attempt.head_until, std::chrono::steady_clock::now() + kErrorBodyWait);
  made->body = co_await drain(opening, until);
  hide_credentials(made->body, attempt.client);
  hide_credentials(made->content_type, attempt.client);
  for (auto& [name, value] : made->headers) hide_credentials(value, attempt.client);
  made->upstream = dialect().read_error(head.status, made->body);
  if (made->error.code == ErrorCode::status && !made->upstream.message.empty()) {
    made->error.message += ": " + made->upstream.message;
  }
  co_return made;
}

http::asio::awaitable<Result<std::unique_ptr<http::Call>>> Provider::forward(ClientSide client,
                                                                             std::string_view path,
                                                                             std::string_view body,
                                                                             http::Cancel& cancel,
                                                                             Instant head_until) {
  std::string target = setting_.base.path;
  if (target.ends_with("/v1") && path.starts_with("/v1")) target.resize(target.size() - 3);
  target.append(path);
  const std::string query = query_without_key(client.head->query);
  if (!query.empty()) target.append("?").append(query);
  const std::string headers = header_lines(setting_, client, false);
  http::Outgoing outgoing;
  outgoing.method = client.head->method;
  outgoing.target = target;
  outgoing.headers = headers;
  outgoing.body = body;
  co_return co_await client_.send(setting_.base.endpoint, outgoing, cancel, head_until);
}

}  // namespace nl::provider
