#include <gtest/gtest.h>

#include <charconv>
#include <string>
#include <utility>
#include <vector>

#include "router/verdict.h"

namespace nl::router {
namespace {

// 2027-01-15T08:00:00Z.
constexpr WallTime kWall{std::chrono::seconds(1'800'000'000)};

// The cases, one a line or with its headers and its message on lines of their own:
//   # what it is
//   status type code source resets-in-s -> class scope action cooldown-ms
//   header: value
//   "message
// A dash is nothing.
struct Case {
  std::string name;
  std::vector<std::string> said;
  std::vector<std::string> expected;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string message;
};

std::vector<std::string> words(std::string_view line) {
  std::vector<std::string> found(1);
  for (const char c : line) {
    if (c != ' ') {
      found.back().push_back(c);
    } else if (!found.back().empty()) {
      found.emplace_back();
    }
  }
  for (std::string& word : found) {
    if (word == "-") word.clear();
  }
  return found;
}

std::vector<Case> read_cases(std::string_view text) {
  std::vector<Case> cases;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty()) continue;
    const std::size_t arrow = line.find(" -> ");
    if (line.starts_with("# ")) {
      cases.emplace_back().name = line.substr(2);
    } else if (line.starts_with('"')) {
      cases.back().message = line.substr(1);
    } else if (arrow != std::string_view::npos) {
      cases.back().said = words(line.substr(0, arrow));
      cases.back().expected = words(line.substr(arrow + 4));
    } else {
      const std::size_t colon = line.find(": ");
      cases.back().headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
    }
  }
  return cases;
}

std::int64_t number(const std::string& text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

const char* spelled(Scope scope) {
  switch (scope) {
    case Scope::attempt:
      return "attempt";
    case Scope::model:
      return "model";
    case Scope::key:
      return "key";
    case Scope::provider:
      return "provider";
  }
  return "";
}

const char* spelled(Action action) {
  switch (action) {
    case Action::next_target:
      return "next_target";
    case Action::retry_then_next:
      return "retry_then_next";
    case Action::larger_window:
      return "larger_window";
    case Action::other_model:
      return "other_model";
    case Action::drop_thinking:
      return "drop_thinking";
    case Action::give_up:
      return "give_up";
  }
  return "";
}

void expect_all(Vendor vendor, std::string_view text) {
  const std::vector<Case> cases = read_cases(text);
  EXPECT_GT(cases.size(), 10U);
  for (const Case& item : cases) {
    SCOPED_TRACE(item.name);
    ASSERT_EQ(item.said.size(), 5U);
    ASSERT_EQ(item.expected.size(), 4U);
    Seen seen;
    seen.vendor = vendor;
    seen.status = static_cast<int>(number(item.said[0]));
    seen.code = seen.status == 0 ? ErrorCode::stream_error : ErrorCode::status;
    seen.type = item.said[1];
    seen.error_code = item.said[2];
    seen.limit_source = item.said[3];
    if (!item.said[4].empty()) seen.resets_in_s = number(item.said[4]);
    seen.message = item.message;
    for (const auto& [key, value] : item.headers) seen.headers.emplace_back(key, value);

    const Verdict verdict = decide(seen, kWall);
    EXPECT_EQ(name(verdict.failure), item.expected[0]) << verdict.reason;
    EXPECT_EQ(spelled(verdict.scope), item.expected[1]);
    EXPECT_EQ(spelled(verdict.action), item.expected[2]);
    const std::string cooldown =
        verdict.cooldown
            ? std::to_string(
                  std::chrono::duration_cast<std::chrono::milliseconds>(*verdict.cooldown).count())
            : "";
    EXPECT_EQ(cooldown, item.expected[3]);
    EXPECT_TRUE(verdict.known);
    EXPECT_FALSE(verdict.reason.empty());
  }
}

constexpr std::string_view kAnthropicLimits = R"(
# rate limit with retry-after
429 rate_limit_error - - - -> quota model next_target 17000
retry-after: 17
# input tokens used up
429 rate_limit_error - - - -> quota model next_target 42000
anthropic-ratelimit-requests-remaining: 41
anthropic-ratelimit-requests-reset: 2027-01-15T09:00:00Z
anthropic-ratelimit-input-tokens-remaining: 0
anthropic-ratelimit-input-tokens-reset: 2027-01-15T08:00:42Z
# 5-hour limit
429 rate_limit_error - - - -> quota key next_target 12345000
anthropic-ratelimit-unified-status: rejected
anthropic-ratelimit-unified-representative-claim: five_hour
anthropic-ratelimit-unified-reset: 1800012345
retry-after: 12345
# weekly limit
429 - - - - -> quota key next_target 400000000
anthropic-ratelimit-unified-status: rejected
anthropic-ratelimit-unified-representative-claim: seven_day
anthropic-ratelimit-unified-reset: 1800400000
# weekly opus limit
429 - - - - -> quota model next_target 400000000
anthropic-ratelimit-unified-status: rejected
anthropic-ratelimit-unified-representative-claim: seven_day_opus
anthropic-ratelimit-unified-reset: 1800400000
# weekly sonnet limit
429 - - - - -> quota model next_target 400000000
anthropic-ratelimit-unified-status: rejected
anthropic-ratelimit-unified-representative-claim: seven_day_sonnet
anthropic-ratelimit-unified-reset: 1800400000
# used up, unknown claim and reset in the past
429 - - - - -> quota key next_target 3600000
anthropic-ratelimit-unified-status: rejected
anthropic-ratelimit-unified-reset: 1700000000
# throttle of a subscription
429 rate_limit_error - - - -> quota model next_target -
"extra usage required
# spend limit in the details
429 rate_limit_error enforced_spend_limit_reached - - -> quota key next_target 1440000000
# workspace spend limit
400 invalid_request_error - - - -> quota key next_target 1440000000
"Workspace spend limit reached
# credit
400 invalid_request_error - - - -> quota key next_target 3600000
"Your credit balance is too low to access the Anthropic API
# billing
402 billing_error - - - -> quota key next_target 3600000
)";

constexpr std::string_view kAnthropicOtherErrors = R"(
# overloaded
529 overloaded_error - - - -> provider model next_target -
# overloaded with retry-after
529 - - - - -> provider model next_target 60000
retry-after: 600
# overloaded in the stream
0 overloaded_error - - - -> provider model next_target -
# server error
500 api_error - - - -> provider model next_target -
# timeout
504 timeout_error - - - -> provider model next_target -
# error event
0 api_error - - - -> provider model next_target -
# 401
401 authentication_error - - - -> credential key next_target -
# 403
403 permission_error - - - -> credential model next_target -
# too long
400 invalid_request_error - - - -> capability attempt larger_window -
"prompt is too long: 210000 tokens > 200000 maximum
# too long with the answer
400 - - - - -> capability attempt larger_window -
"input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000
# too many bytes
413 request_too_large - - - -> request attempt give_up -
# thinking signature
400 - - - - -> capability attempt drop_thinking -
"messages.1.content.0: Invalid `signature` in `thinking` block
# thinking of another conversation
400 - - - - -> capability attempt drop_thinking -
"thinking block is bound to a different conversation
# someone else's token
400 - - - - -> credential attempt next_target -
"This credential is only authorized for use with Claude Code
# unknown model
404 not_found_error - - - -> capability attempt other_model -
"model: claude-next
# other 404
404 not_found_error - - - -> provider attempt next_target -
"Not Found
# bad request
400 invalid_request_error - - - -> request attempt give_up -
"messages: at least one message is required
)";

constexpr std::string_view kOpenAiErrors = R"(
# rate limit in words
429 requests rate_limit_exceeded - - -> quota model next_target 1200
"Rate limit reached for gpt-5 in organization x. Please try again in 1.2s.
# retry-after-ms
429 - slow_down - - -> quota model next_target 350
retry-after-ms: 350
retry-after: 1
# reset as a duration
429 - - - - -> quota model next_target 360000
x-ratelimit-remaining-requests: 0
x-ratelimit-reset-requests: 6m0s
x-ratelimit-remaining-tokens: 150
x-ratelimit-reset-tokens: 9h0m0s
# insufficient quota
429 insufficient_quota insufficient_quota - - -> quota key next_target 3600000
# credit
429 - credit_balance_exhausted - - -> quota key next_target 3600000
# organisation's limit
429 - organization_spend_limit_exceeded - - -> quota key next_target 3600000
# project's limit
429 - project_spend_limit_exceeded - - -> quota key next_target 3600000
# usage of the organisation
429 - organization_usage_limit_exceeded - - -> quota key next_target 3600000
# plan used up
429 usage_limit_reached - - 98765 -> quota key next_target 98765000
retry-after: 5
# request above the limit
429 tokens rate_limit_exceeded - - -> capability attempt other_model -
"Request too large for gpt-5: Limit 30000, Requested 51000
# overloaded
503 - server_is_overloaded - - -> provider model next_target -
# 500
500 server_error - - - -> provider model next_target -
# too long
400 - context_length_exceeded - - -> capability attempt larger_window -
# too long in the stream
0 - context_length_exceeded - - -> capability attempt larger_window -
# id too long
400 - string_above_max_length - - -> request attempt give_up -
# model
404 - model_not_found - - -> capability attempt other_model -
# no access to model
403 - model_not_found - - -> capability attempt other_model -
# model by text
400 - - - - -> capability attempt other_model -
"The model `gpt-9` does not exist
# content policy
400 - content_policy_violation - - -> request attempt give_up -
# region
403 - unsupported_country_region_territory - - -> credential key next_target -
# key
401 - invalid_api_key - - -> credential key next_target -
)";

constexpr std::string_view kGeminiErrors = R"(
# per minute
429 RESOURCE_EXHAUSTED - - 46 -> quota model next_target 46000
"Quota exceeded for metric
# per minute in words
429 - - - - -> quota model next_target 46500
"You exceeded your current quota. Please retry in 46.5s.
# without RetryInfo
429 RESOURCE_EXHAUSTED - - - -> quota model next_target -
# per day
429 - - - - -> quota model next_target 86400000
"quotaId GenerateRequestsPerDayPerProjectPerModel-FreeTier
# no quota at all
429 - - - 3 -> credential model next_target -
"Quota exceeded, limit: 0, model: gemini-3-pro
# unavailable
503 UNAVAILABLE - - - -> provider model next_target -
# internal
500 INTERNAL - - - -> provider model next_target -
# 504
504 - - - - -> provider model next_target -
# cancelled
499 - - - - -> provider model next_target -
# out of money
402 - - - - -> quota key next_target 3600000
# too long
400 INVALID_ARGUMENT - - - -> capability attempt larger_window -
"The input token count (1200000) exceeds the maximum number of tokens allowed
# bad key
400 INVALID_ARGUMENT - - - -> credential key next_target -
"API key not valid. Please pass a valid API key.
# argument
400 INVALID_ARGUMENT - - - -> request attempt give_up -
# forbidden
403 PERMISSION_DENIED - - - -> credential model next_target -
# model gone
404 - - - - -> capability attempt other_model -
"models/gemini-1.0 is not found for API version v1beta
)";

constexpr std::string_view kOpenRouterErrors = R"(
# credits
402 - - - - -> quota key next_target 3600000
"Insufficient credits
# credits reserved
402 - - openrouter_in_flight_budget - -> quota key next_target 8000
retry-after: 8
# shared pool
429 - - upstream_provider_shared_pool - -> quota model next_target -
# shared pool with a reset
429 - - upstream_provider_shared_pool - -> quota model next_target 30000
retry-after: 30
# daily cap of free models
429 - - - - -> quota model next_target 57600000
x-ratelimit-remaining: 0
x-ratelimit-reset: 1800057600000
# 502
502 - - - - -> provider model next_target -
# overloaded
503 - provider_overloaded - - -> provider model next_target -
# 408
408 - - - - -> provider attempt next_target -
# no provider
503 - - - - -> capability attempt other_model -
"There is no available model provider that meets your routing requirements
# no endpoints
404 - - - - -> capability attempt other_model -
"No endpoints found that support image input
# not a model
400 - - - - -> capability attempt other_model -
"openai/gpt-9 is not a valid model ID
# moderation
403 - - - - -> request attempt other_model -
"Your chosen model requires moderation and your input was flagged
# error in a 200
0 - rate_limit_exceeded - - -> quota model next_target -
)";

TEST(VerdictTableTest, AnthropicLimits) {
  expect_all(Vendor::anthropic, kAnthropicLimits);
}

TEST(VerdictTableTest, AnthropicOtherErrors) {
  expect_all(Vendor::anthropic, kAnthropicOtherErrors);
}

TEST(VerdictTableTest, OpenAiErrors) {
  expect_all(Vendor::openai, kOpenAiErrors);
}

TEST(VerdictTableTest, GeminiErrors) {
  expect_all(Vendor::gemini, kGeminiErrors);
}

TEST(VerdictTableTest, OpenRouterErrors) {
  expect_all(Vendor::openrouter, kOpenRouterErrors);
}

}  // namespace
}  // namespace nl::router
