#include "router/verdict.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "router/verdict_table.h"

namespace nl::router {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using F = FailureClass;
using S = Scope;
using A = Action;

// 2027-01-15T08:00:00Z.
constexpr WallTime kWall{seconds(1'800'000'000)};

Seen said(Vendor vendor, int status) {
  Seen seen;
  seen.vendor = vendor;
  seen.status = status;
  return seen;
}

constexpr auto kUnified = "anthropic-ratelimit-unified-status";
constexpr auto kClaim = "anthropic-ratelimit-unified-representative-claim";
constexpr auto kUnifiedReset = "anthropic-ratelimit-unified-reset";

TEST(VerdictTest, EveryTransportCodeHasItsRow) {
  struct Expected {
    ErrorCode code;
    F failure;
    S scope;
    A action;
  };
  const Expected rows[] = {
      {ErrorCode::bad_request, F::request, S::attempt, A::give_up},
      {ErrorCode::too_large, F::request, S::attempt, A::give_up},
      {ErrorCode::unauthorized, F::request, S::attempt, A::give_up},
      {ErrorCode::forbidden, F::request, S::attempt, A::give_up},
      {ErrorCode::not_found, F::request, S::attempt, A::give_up},
      {ErrorCode::dns, F::network, S::provider, A::next_target},
      {ErrorCode::connect, F::network, S::provider, A::next_target},
      {ErrorCode::tls, F::network, S::provider, A::next_target},
      {ErrorCode::reset, F::provider, S::model, A::next_target},
      {ErrorCode::timeout, F::provider, S::model, A::next_target},
      {ErrorCode::not_an_answer, F::provider, S::model, A::next_target},
      {ErrorCode::empty_answer, F::provider, S::model, A::next_target},
      {ErrorCode::truncated, F::provider, S::model, A::next_target},
      {ErrorCode::protocol, F::provider, S::model, A::next_target},
      {ErrorCode::cancelled, F::request, S::attempt, A::give_up},
      {ErrorCode::exhausted, F::local, S::attempt, A::next_target},
      {ErrorCode::unsupported, F::capability, S::attempt, A::other_model},
      {ErrorCode::config, F::local, S::attempt, A::next_target},
      {ErrorCode::io, F::local, S::attempt, A::next_target},
      {ErrorCode::internal, F::local, S::attempt, A::next_target},
  };
  for (const Expected& row : rows) {
    Seen seen = said(Vendor::openai, 0);
    seen.code = row.code;
    const Verdict verdict = decide(seen, kWall);
    SCOPED_TRACE(nl::name(row.code));
    EXPECT_EQ(verdict.failure, row.failure);
    EXPECT_EQ(verdict.scope, row.scope);
    EXPECT_EQ(verdict.action, row.action);
    EXPECT_FALSE(verdict.cooldown);
    EXPECT_TRUE(verdict.known);
  }
}

TEST(VerdictTest, HtmlARedirectAndA511AreTheNetworks) {
  Seen html = said(Vendor::anthropic, 200);
  html.code = ErrorCode::not_an_answer;
  html.headers = {{"content-type", "text/HTML; charset=utf-8"}};
  EXPECT_EQ(decide(html, kWall).failure, F::network);
  html.headers.clear();
  html.message = "an HTML page instead of an answer";
  EXPECT_EQ(decide(html, kWall).failure, F::network);
  EXPECT_EQ(decide(html, kWall).scope, S::provider);

  Seen redirect = said(Vendor::openai, 302);
  redirect.code = ErrorCode::not_an_answer;
  EXPECT_EQ(decide(redirect, kWall).failure, F::network);
  EXPECT_EQ(decide(said(Vendor::openai, 307), kWall).failure, F::network);
  EXPECT_EQ(decide(said(Vendor::openai, 511), kWall).failure, F::network);
}

TEST(VerdictTest, AnUnknownRefusalFailsOverAndSaysSo) {
  for (const int status : {405, 409, 418, 425, 451}) {
    const Verdict verdict = decide(said(Vendor::other, status), kWall);
    EXPECT_EQ(verdict.action, A::next_target) << status;
    EXPECT_FALSE(verdict.known) << status;
  }
  for (const int status : {400, 413, 422}) {
    EXPECT_EQ(decide(said(Vendor::other, status), kWall).action, A::give_up) << status;
  }
  Seen event = said(Vendor::other, 0);
  event.code = ErrorCode::stream_error;
  event.type = "never_seen_error";
  EXPECT_EQ(decide(event, kWall).failure, F::provider);
  EXPECT_FALSE(decide(event, kWall).known);
}

TEST(VerdictTest, EveryServerErrorIsTheProviders) {
  for (int status = 500; status < 600; ++status) {
    if (status == 511) continue;
    const Verdict verdict = decide(said(Vendor::openai, status), kWall);
    EXPECT_EQ(verdict.failure, F::provider) << status;
    EXPECT_EQ(verdict.action, A::next_target) << status;
    EXPECT_TRUE(verdict.known) << status;
  }
}

TEST(VerdictTest, APlainRefusalOfATranslatedRequestMayBeOurFault) {
  Seen seen = said(Vendor::openai, 400);
  seen.translated = true;
  seen.message = "Unsupported parameter";
  EXPECT_EQ(decide(seen, kWall).failure, F::capability);
  EXPECT_EQ(decide(seen, kWall).action, A::other_model);
  seen.error_code = "content_policy_violation";
  EXPECT_EQ(decide(seen, kWall).action, A::give_up);
}

TEST(VerdictTest, TheLocalTierIsNeverCooledDown) {
  for (int status = 0; status < 600; ++status) {
    Seen seen = said(Vendor::local, status);
    seen.local = true;
    seen.headers = {{"retry-after", "60"}};
    seen.resets_in_s = 60;
    for (const ErrorCode code : {ErrorCode::status, ErrorCode::stream_error, ErrorCode::connect,
                                 ErrorCode::reset, ErrorCode::timeout, ErrorCode::truncated}) {
      seen.code = code;
      const Verdict verdict = decide(seen, kWall);
      EXPECT_FALSE(verdict.cooldown);
      EXPECT_EQ(verdict.scope, S::attempt);
      EXPECT_TRUE(verdict.failure == F::local || verdict.failure == F::request ||
                  verdict.failure == F::capability);
    }
  }
}

TEST(VerdictTest, LocalErrorsAreToldApart) {
  Seen seen = said(Vendor::local, 404);
  seen.local = true;
  seen.message = "model 'gemma4' not found, try pulling it first";
  EXPECT_EQ(decide(seen, kWall).failure, F::capability);
  EXPECT_EQ(decide(seen, kWall).reason, "404 model not pulled");

  seen.status = 400;
  seen.message = "the request exceeds the available context size";
  EXPECT_EQ(decide(seen, kWall).action, A::larger_window);

  seen.status = 503;
  seen.message = "server busy, maximum pending requests exceeded";
  EXPECT_EQ(decide(seen, kWall).failure, F::local);
  EXPECT_EQ(decide(seen, kWall).action, A::next_target);

  seen.status = 500;
  seen.message = "llama runner process has terminated";
  EXPECT_EQ(decide(seen, kWall).action, A::retry_then_next);
}

TEST(VerdictTest, WhatTheEngineSays) {
  struct Row {
    int status;
    const char* type;
    const char* message;
    F failure;
    A action;
  };
  const std::vector<Row> rows = {
      {400, "exceed_context_size_error", "request (9 tokens) exceeds", F::capability,
       A::larger_window},
      {500, "server_error", "image input is not supported - hint: ...", F::capability,
       A::other_model},
      {500, "server_error", "JSON schema error at #: unrecognized type banana", F::capability,
       A::other_model},
      {500, "server_error",
       "The model produced output that does not match the expected peg-gemma4 "
       "format",
       F::local, A::retry_then_next},
      {0, "broken_tool_call", "the model's call of Bash is not usable: command: is missing",
       F::local, A::retry_then_next},
      {503, "unavailable_error", "Loading model", F::local, A::retry_then_next},
      {500, "server_error", "Jinja Exception: roles must alternate", F::local, A::retry_then_next},
      {400, "invalid_request_error", "Failed to load image", F::capability, A::other_model},
  };
  for (const Row& row : rows) {
    Seen seen = said(Vendor::local, row.status);
    seen.local = true;
    seen.translated = true;
    seen.type = row.type;
    seen.message = row.message;
    const Verdict verdict = decide(seen, kWall);
    EXPECT_EQ(verdict.failure, row.failure) << row.message;
    EXPECT_EQ(verdict.action, row.action) << row.message;
    EXPECT_TRUE(verdict.known) << row.message;
  }
}

TEST(VerdictTest, ASubscriptionCanBeUsedUpUnderA200) {
  Seen seen = said(Vendor::anthropic, 200);
  EXPECT_FALSE(decide_after_success(seen, kWall));
  seen.headers = {{kUnified, "allowed_warning"}, {kUnifiedReset, "1800003600"}};
  EXPECT_FALSE(decide_after_success(seen, kWall));
  seen.headers = {{kUnified, "rejected"},
                  {kClaim, "five_hour"},
                  {kUnifiedReset, "1800003600"},
                  {"anthropic-ratelimit-unified-overage-in-use", "true"}};
  const auto verdict = decide_after_success(seen, kWall);
  ASSERT_TRUE(verdict);
  EXPECT_EQ(verdict->failure, F::quota);
  EXPECT_EQ(verdict->scope, S::key);
  EXPECT_EQ(verdict->cooldown, Duration(hours(1)));
  EXPECT_TRUE(verdict->structured_reset);
  EXPECT_EQ(verdict->probe, Probe::never);
}

TEST(VerdictTest, ABareRetryAfterIsCappedAndAStructuredResetIsNot) {
  Seen seen = said(Vendor::openai, 429);
  seen.headers = {{"retry-after", "90000"}};
  EXPECT_EQ(decide(seen, kWall).cooldown, Duration(hours(1)));
  EXPECT_FALSE(decide(seen, kWall).structured_reset);
  seen.resets_in_s = 90000;
  EXPECT_EQ(decide(seen, kWall).cooldown, Duration(seconds(90000)));
  EXPECT_TRUE(decide(seen, kWall).structured_reset);
}

TEST(VerdictTableTest, NoRowIsHiddenByAnEarlierOneThatMatchesTheSame) {
  // Two rows with the same conditions would make the second one dead data.
  const auto key = [](const Row& row) {
    std::string text = std::to_string(row.vendors) + "|" + std::to_string(row.status);
    for (const std::string_view part :
         {row.kind, row.text, row.also, row.header, row.value, row.claim, row.source}) {
      text.append("|").append(part);
    }
    return text;
  };
  for (const auto rows : {cloud_rows(), local_rows()}) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      EXPECT_FALSE(rows[i].reason.empty());
      for (std::size_t j = 0; j < i; ++j) EXPECT_NE(key(rows[i]), key(rows[j]));
    }
  }
}

}  // namespace
}  // namespace nl::router
