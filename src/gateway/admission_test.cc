#include "gateway/admission.h"

#include <gtest/gtest.h>

#include <string>

#include "gateway/credential.h"

namespace nl::gateway {
namespace {

using dialect::DialectId;

// A request head as the server would hand it over.
http::RequestHead parse(std::string& storage, const std::string& line,
                        const std::string& fields = "") {
  storage = line + " HTTP/1.1\r\nHost: 127.0.0.1:2300\r\n" + fields + "\r\n";
  auto head = http::parse_request_head(storage);
  EXPECT_TRUE(head) << line;
  return head ? *head : http::RequestHead();
}

RouteKind kind_of(const std::string& line, const std::string& fields = "") {
  std::string storage;
  return match_route(parse(storage, line, fields)).kind;
}

TEST(Route, ToleratesTheWaysClientsSpellAPath) {
  for (const char* path : {"/v1/messages", "/messages", "/v1/v1/messages", "/v1/messages/",
                           "/v1/messages?beta=true", "/anthropic/v1/messages", "//v1/messages"}) {
    EXPECT_EQ(kind_of(std::string("POST ") + path), RouteKind::messages) << path;
  }
  for (const char* path : {"/v1/chat/completions", "/chat/completions", "/v1/v1/chat/completions",
                           "/openai/v1/chat/completions", "/v1/chat/completions/"}) {
    EXPECT_EQ(kind_of(std::string("POST ") + path), RouteKind::chat_completions) << path;
  }
}

TEST(Route, KnowsTheSmallRoutes) {
  EXPECT_EQ(kind_of("POST /v1/messages/count_tokens?beta=true"), RouteKind::count_tokens);
  EXPECT_EQ(kind_of("HEAD /"), RouteKind::alive);
  EXPECT_EQ(kind_of("HEAD /api/hello"), RouteKind::alive);
  EXPECT_EQ(kind_of("GET /v1/models?limit=1000"), RouteKind::models);
  EXPECT_EQ(kind_of("GET /nightlight/status"), RouteKind::own);
  EXPECT_EQ(kind_of("POST /v1/embeddings"), RouteKind::vendor);
  EXPECT_EQ(kind_of("GET /v1/responses", "Upgrade: websocket\r\n"), RouteKind::upgrade);
}

TEST(Route, RefusesWhatIsNotServed) {
  EXPECT_EQ(kind_of("POST /v1/messagesx"), RouteKind::unknown);
  EXPECT_EQ(kind_of("POST /v1/embeddingsx"), RouteKind::unknown);
  EXPECT_EQ(kind_of("GET /etc/passwd"), RouteKind::unknown);
  std::string storage;
  EXPECT_TRUE(match_route(parse(storage, "GET /v1/messages")).wrong_method);
}

TEST(Route, SpeaksTheDialectOfThePath) {
  EXPECT_EQ(dialect_for_path("/v1/chat/nowhere"), DialectId::openai_chat);
  EXPECT_EQ(dialect_for_path("/v1/nowhere"), DialectId::anthropic);
}

std::optional<Error> admission(const std::string& host, const std::string& fields,
                               const GatewayOptions& options) {
  const std::string bytes =
      "POST /v1/messages HTTP/1.1\r\nHost: " + host + "\r\n" + fields + "\r\n";
  const auto head = http::parse_request_head(bytes);
  if (!head) return Error(ErrorCode::bad_request, "not parsed", 400);
  return check_admission(*head, RouteKind::messages, "192.168.1.7", options);
}

TEST(Admission, TakesTheNamesOfThisMachine) {
  GatewayOptions options;
  options.hosts = {"gateway.office"};
  for (const char* host : {"127.0.0.1:2300", "localhost", "LOCALHOST:1", "[::1]:2300", "127.8.9.10",
                           "host.docker.internal:2300", "host.containers.internal",
                           "192.168.1.7:2300", "gateway.office:2300"}) {
    EXPECT_FALSE(admission(host, "", options)) << host;
  }
}

TEST(Admission, RefusesForeignNamesAsARebindingWouldSendThem) {
  const GatewayOptions options;
  for (const char* host : {"evil.example", "127.0.0.1.evil.example", "localhost.evil.example",
                           "127.0.0.1evil", "127.1", "0.0.0.0", "192.168.1.8", "127.0.0.256"}) {
    const auto error = admission(host, "", options);
    ASSERT_TRUE(error) << host;
    EXPECT_EQ(error->status, 421) << host;
  }
}

TEST(Admission, RefusesWebPagesButNotNodesFetch) {
  const GatewayOptions options;
  EXPECT_FALSE(admission("localhost", "sec-fetch-mode: cors\r\n", options));
  EXPECT_EQ(admission("localhost", "Origin: https://evil.example\r\n", options)->status, 403);
  EXPECT_EQ(admission("localhost", "Origin: null\r\n", options)->status, 403);
  EXPECT_EQ(admission("localhost", "Origin: http://localhost@evil.example\r\n", options)->status,
            403);
  EXPECT_EQ(admission("localhost", "Sec-Fetch-Site: cross-site\r\n", options)->status, 403);
  EXPECT_EQ(admission("localhost", "Origin: http://localhost:2300\r\n", options)->status, 403)
      << "a form has no JSON content type";
  EXPECT_FALSE(admission(
      "localhost", "Origin: http://localhost:2300\r\nContent-Type: application/json\r\n", options));
}

TEST(Admission, AsksForTheTokenInAnyCarrier) {
  GatewayOptions options;
  options.tokens.emplace_back("let-me-in-please");
  EXPECT_EQ(admission("localhost", "", options)->status, 401);
  EXPECT_EQ(admission("localhost", "x-api-key: wrong\r\n", options)->status, 401);
  EXPECT_FALSE(admission("localhost", "x-api-key: let-me-in-please\r\n", options));
  EXPECT_FALSE(admission("localhost", "authorization: bearer let-me-in-please\r\n", options));
}

ClientCredential credential(const std::string& fields, DialectId dialect,
                            const std::vector<Secret>& tokens = {}) {
  std::string storage;
  return client_credential(parse(storage, "POST /v1/messages", fields), dialect, tokens);
}

TEST(Credential, GoesToTheVendorWhoseFormItHas) {
  EXPECT_EQ(credential("x-api-key: sk-ant-api03-x\r\n", DialectId::openai_chat).vendor,
            router::Vendor::anthropic);
  EXPECT_EQ(credential("authorization: Bearer sk-or-v1-x\r\n", DialectId::openai_chat).vendor,
            router::Vendor::openrouter);
  EXPECT_EQ(credential("authorization: Bearer anything\r\n", DialectId::anthropic).vendor,
            router::Vendor::anthropic);
  EXPECT_EQ(credential("authorization: Bearer sk-x\r\n", DialectId::openai_chat).vendor,
            router::Vendor::openai);
  EXPECT_FALSE(credential("", DialectId::anthropic).vendor);
}

TEST(Credential, KnowsASubscriptionLogin) {
  const std::string oauth = "authorization: Bearer tok\r\nanthropic-beta: a,oauth-2025-04-20\r\n";
  EXPECT_TRUE(credential(oauth, DialectId::anthropic).subscription);
  EXPECT_FALSE(credential("x-api-key: sk-ant-api03-x\r\n", DialectId::anthropic).subscription);
}

TEST(Credential, OurOwnTokenIsNobodysCredential) {
  std::vector<Secret> tokens;
  tokens.emplace_back("ours");
  EXPECT_FALSE(credential("x-api-key: ours\r\n", DialectId::anthropic, tokens).vendor);
}

}  // namespace
}  // namespace nl::gateway
