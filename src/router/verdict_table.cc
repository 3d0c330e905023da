#include "router/verdict_table.h"

namespace nl::router {

namespace {

constexpr std::uint8_t kAnthropic = vendor_bit(Vendor::anthropic);
constexpr std::uint8_t kGemini = vendor_bit(Vendor::gemini);
constexpr std::uint8_t kOpenRouter = vendor_bit(Vendor::openrouter);
// Servers of no known vendor speak OpenAI's words.
constexpr std::uint8_t kOpenAi = vendor_bit(Vendor::openai) | vendor_bit(Vendor::other);

// The four outcomes that most rows share.
constexpr Row too_long(Row row) {
  row.failure = FailureClass::capability;
  row.action = Action::larger_window;
  row.reason = "prompt too long";
  return row;
}
constexpr Row cannot(Row row) {
  row.failure = FailureClass::capability;
  row.action = Action::other_model;
  return row;
}
constexpr Row signed_elsewhere(Row row) {
  row.failure = FailureClass::capability;
  row.action = Action::drop_thinking;
  row.reason = "signed thinking of another conversation";
  return row;
}
constexpr Row used_up(Row row, Scope scope, Cooling cooling) {
  row.failure = FailureClass::quota;
  row.scope = scope;
  row.cooling = cooling;
  return row;
}
constexpr Row dead_key(Row row, Scope scope) {
  row.failure = FailureClass::credential;
  row.scope = scope;
  return row;
}
constexpr Row callers(Row row) {
  row.failure = FailureClass::request;
  row.action = Action::give_up;
  return row;
}

constexpr Row kCloudRows[] = {
    // Too long: only a larger window helps. Before everything, because every vendor says it under
    // another status.
    too_long({.kind = "context_length_exceeded"}),
    too_long({.kind = "exceed_context_size_error"}),
    too_long({.kind = "model_max_prompt_tokens_exceeded"}),
    too_long({.text = "prompt is too long"}),
    too_long({.text = "input is too long"}),
    too_long({.text = "maximum context length"}),
    too_long({.text = "context_length_exceeded"}),
    too_long({.text = "exceeds the context window"}),
    too_long({.text = "exceed context limit"}),
    too_long({.text = "longer than the maximum model length"}),
    too_long({.text = "exceeds the available context size"}),
    too_long({.text = "exceeds the maximum number of tokens"}),
    too_long({.text = "exceeds the maximum number of input tokens"}),
    too_long({.text = "reduce the length of the messages"}),

    // Signed thinking belongs to the model that signed it.
    signed_elsewhere({.status = 400, .text = "signature", .also = "thinking"}),
    signed_elsewhere({.status = 400, .text = "bound to a different conversation"}),
    signed_elsewhere({.status = 400, .text = "thought signature"}),

    // Anthropic: a subscription's windows, spend limits, credit.
    used_up({.vendors = kAnthropic,
             .status = 429,
             .header = "anthropic-ratelimit-unified-status",
             .value = "rejected",
             .claim = "seven_day_",
             .reason = "weekly limit of this model"},
            Scope::model, Cooling::stated_or_hour),
    used_up({.vendors = kAnthropic,
             .status = 429,
             .header = "anthropic-ratelimit-unified-status",
             .value = "rejected",
             .claim = "seven_day",
             .reason = "weekly limit"},
            Scope::key, Cooling::stated_or_hour),
    used_up({.vendors = kAnthropic,
             .status = 429,
             .header = "anthropic-ratelimit-unified-status",
             .value = "rejected",
             .claim = "five_hour",
             .reason = "5-hour limit"},
            Scope::key, Cooling::stated_or_hour),
    used_up({.vendors = kAnthropic,
             .status = 429,
             .header = "anthropic-ratelimit-unified-status",
             .value = "rejected",
             .reason = "subscription used up"},
            Scope::key, Cooling::stated_or_hour),
    used_up(
        {.vendors = kAnthropic, .kind = "enforced_spend_limit_reached", .reason = "spend limit"},
        Scope::key, Cooling::month),
    used_up({.vendors = kAnthropic, .text = "spend limit", .reason = "spend limit"}, Scope::key,
            Cooling::month),
    used_up({.vendors = kAnthropic, .text = "specified api usage limits", .reason = "spend limit"},
            Scope::key, Cooling::month),
    used_up({.text = "credit balance is too low", .reason = "credit used up"}, Scope::key,
            Cooling::hour),
    used_up({.text = "credit balance too low", .reason = "credit used up"}, Scope::key,
            Cooling::hour),
    used_up({.vendors = kAnthropic, .kind = "billing_error", .reason = "billing"}, Scope::key,
            Cooling::hour),
    // The token passes for its own client's requests and must not be held for this one.
    dead_key({.text = "only authorized for use with claude code",
              .reason = "credential is for its own client only"},
             Scope::attempt),
    dead_key({.text = "organization has been disabled", .reason = "organization disabled"},
             Scope::key),

    // OpenAI and those who speak like it.
    used_up({.vendors = kOpenAi, .kind = "insufficient_quota", .reason = "quota used up"},
            Scope::key, Cooling::hour),
    used_up({.vendors = kOpenAi, .kind = "credit_balance_exhausted", .reason = "credit used up"},
            Scope::key, Cooling::hour),
    used_up(
        {.vendors = kOpenAi, .kind = "organization_spend_limit_exceeded", .reason = "spend limit"},
        Scope::key, Cooling::hour),
    used_up({.vendors = kOpenAi, .kind = "project_spend_limit_exceeded", .reason = "spend limit"},
            Scope::key, Cooling::hour),
    used_up(
        {.vendors = kOpenAi, .kind = "organization_usage_limit_exceeded", .reason = "usage limit"},
        Scope::key, Cooling::hour),
    used_up({.vendors = kOpenAi, .kind = "billing_hard_limit_reached", .reason = "spend limit"},
            Scope::key, Cooling::hour),
    used_up({.vendors = kOpenAi, .kind = "billing_not_active", .reason = "billing"}, Scope::key,
            Cooling::hour),
    used_up({.vendors = kOpenAi, .kind = "usage_limit_reached", .reason = "usage limit"},
            Scope::key, Cooling::stated_or_hour),
    // Larger than a whole minute's allowance: waiting never helps, another model may.
    cannot({.vendors = kOpenAi,
            .status = 429,
            .text = "request too large",
            .reason = "request larger than the rate limit"}),
    dead_key({.kind = "unsupported_country_region_territory", .reason = "region not served"},
             Scope::key),

    // Gemini: by the text, because its type is the same for all.
    dead_key({.vendors = kGemini,
              .status = 429,
              .text = "limit: 0",
              .reason = "no quota for this model"},
             Scope::model),
    used_up({.vendors = kGemini, .status = 429, .text = "perday", .reason = "daily quota"},
            Scope::model, Cooling::stated_or_day),
    used_up({.vendors = kGemini, .status = 429, .text = "per day", .reason = "daily quota"},
            Scope::model, Cooling::stated_or_day),
    dead_key(
        {.vendors = kGemini, .status = 400, .text = "api key not valid", .reason = "key not valid"},
        Scope::key),
    dead_key(
        {.vendors = kGemini, .status = 400, .text = "api key expired", .reason = "key expired"},
        Scope::key),
    {.vendors = kGemini, .status = 499, .scope = Scope::model, .reason = "cancelled upstream"},

    // OpenRouter: its own limits and those of whom it asks.
    used_up({.vendors = kOpenRouter,
             .status = 402,
             .source = "openrouter_in_flight_budget",
             .reason = "credit reserved by requests in flight"},
            Scope::key, Cooling::stated_or_hour),
    used_up({.vendors = kOpenRouter,
             .source = "upstream_provider_shared_pool",
             .reason = "shared pool of this model"},
            Scope::model, Cooling::stated),
    {.vendors = kOpenRouter,
     .status = 403,
     .text = "moderation",
     .failure = FailureClass::request,
     .action = Action::other_model,
     .reason = "refused by moderation"},
    {.vendors = kOpenRouter,
     .status = 403,
     .text = "flagged",
     .failure = FailureClass::request,
     .action = Action::other_model,
     .reason = "refused by moderation"},
    cannot({.vendors = kOpenRouter,
            .status = 503,
            .text = "routing requirements",
            .reason = "no provider for this model"}),
    cannot({.vendors = kOpenRouter,
            .status = 503,
            .text = "no allowed providers",
            .reason = "no provider for this model"}),
    cannot({.vendors = kOpenRouter,
            .status = 404,
            .text = "no endpoints found",
            .reason = "no provider for this model"}),
    cannot({.vendors = kOpenRouter,
            .status = 404,
            .text = "no allowed providers",
            .reason = "no provider for this model"}),

    // Model unknown.
    cannot({.kind = "model_not_found", .reason = "model unknown"}),
    cannot({.status = 404, .text = "model", .reason = "model unknown"}),
    cannot({.status = 400, .text = "model not found", .reason = "model unknown"}),
    cannot({.status = 400, .text = "is not a valid model", .reason = "model unknown"}),
    cannot({.status = 400, .text = "unknown model", .reason = "model unknown"}),
    cannot({.status = 400, .text = "invalid model", .reason = "model unknown"}),
    cannot({.status = 400, .text = "no such model", .reason = "model unknown"}),
    cannot(
        {.status = 400, .text = "the model", .also = "does not exist", .reason = "model unknown"}),

    // Refused for its content: another target would be asked to do what one has refused.
    callers({.kind = "content_policy_violation", .reason = "refused for its content"}),
    callers({.kind = "content_filter", .reason = "refused for its content"}),
    callers({.status = 400, .text = "content policy", .reason = "refused for its content"}),
    callers(
        {.status = 400, .text = "content filtering policy", .reason = "refused for its content"}),

    // Overloads: one target's illness. A client must not wait for it, so the next target is asked
    // at once and the breaker does the counting.
    {.status = 529, .scope = Scope::model, .cooling = Cooling::brief, .reason = "overloaded"},
    {.kind = "overloaded_error",
     .scope = Scope::model,
     .cooling = Cooling::brief,
     .reason = "overloaded"},
    {.kind = "server_is_overloaded",
     .scope = Scope::model,
     .cooling = Cooling::brief,
     .reason = "overloaded"},
    {.kind = "provider_overloaded",
     .scope = Scope::model,
     .cooling = Cooling::brief,
     .reason = "overloaded"},

    // By status alone, any vendor.
    {.status = 300,
     .status_to = 399,
     .failure = FailureClass::network,
     .scope = Scope::provider,
     .reason = "redirect"},
    callers({.status = 400, .reason = "bad request", .ours_if_translated = true}),
    dead_key({.status = 401, .reason = "credential refused"}, Scope::key),
    used_up({.status = 402, .reason = "payment required"}, Scope::key, Cooling::hour),
    dead_key({.status = 403, .reason = "permission denied"}, Scope::model),
    {.status = 404, .reason = "not found"},
    {.status = 408, .reason = "request timeout"},
    callers({.status = 413, .reason = "request too large"}),
    callers({.status = 422, .reason = "unprocessable request", .ours_if_translated = true}),
    used_up({.status = 429, .reason = "rate limit"}, Scope::model, Cooling::stated),
    {.status = 511,
     .failure = FailureClass::network,
     .scope = Scope::provider,
     .reason = "captive portal"},
    {.status = 500, .scope = Scope::model, .cooling = Cooling::brief, .reason = "server error"},
    {.status = 502, .scope = Scope::model, .cooling = Cooling::brief, .reason = "bad gateway"},
    {.status = 503, .scope = Scope::model, .cooling = Cooling::brief, .reason = "unavailable"},
    {.status = 504, .scope = Scope::model, .cooling = Cooling::brief, .reason = "gateway timeout"},
    {.status = 501,
     .status_to = 599,
     .scope = Scope::model,
     .cooling = Cooling::brief,
     .reason = "server error"},

    // Error events that stand for no status, by their type.
    {.status = kNoStatus, .kind = "api_error", .scope = Scope::model, .reason = "server error"},
    {.status = kNoStatus, .kind = "server_error", .scope = Scope::model, .reason = "server error"},
    {.status = kNoStatus, .kind = "timeout_error", .scope = Scope::model, .reason = "timeout"},
    used_up({.status = kNoStatus, .kind = "rate_limit_error", .reason = "rate limit"}, Scope::model,
            Cooling::stated),
    used_up({.status = kNoStatus, .kind = "rate_limit_exceeded", .reason = "rate limit"},
            Scope::model, Cooling::stated),
    used_up({.status = kNoStatus, .kind = "resource_exhausted", .reason = "rate limit"},
            Scope::model, Cooling::stated),
    dead_key({.status = kNoStatus, .kind = "authentication_error", .reason = "credential refused"},
             Scope::key),
    dead_key({.status = kNoStatus, .kind = "permission_error", .reason = "permission denied"},
             Scope::model),
    cannot({.status = kNoStatus, .kind = "not_found_error", .reason = "model unknown"}),
    callers({.status = kNoStatus, .kind = "invalid_request_error", .reason = "bad request"}),
    callers({.status = kNoStatus, .kind = "request_too_large", .reason = "request too large"}),
};

constexpr Row locally(Row row) {
  row.failure = FailureClass::local;
  return row;
}

constexpr Row ask_again(Row row) {
  row.failure = FailureClass::local;
  row.action = Action::retry_then_next;
  return row;
}

constexpr Row kLocalRows[] = {
    too_long({.kind = "context_length_exceeded"}),
    too_long({.kind = "exceed_context_size_error"}),
    too_long({.text = "prompt is too long"}),
    too_long({.text = "input is too long"}),
    too_long({.text = "maximum context length"}),
    too_long({.text = "context_length_exceeded"}),
    too_long({.text = "exceeds the available context size"}),
    too_long({.text = "exceeds the context window"}),
    too_long({.text = "longer than the maximum model length"}),
    cannot({.status = 404, .text = "model", .reason = "model not pulled"}),
    cannot({.status = 400, .text = "does not support", .reason = "model cannot"}),
    cannot({.status = 500, .text = "input is not supported", .reason = "model cannot"}),
    // The engine's word for a format that it cannot hold an answer to; it will not change its mind.
    cannot({.status = 500, .text = "json schema error", .reason = "schema not understood"}),
    callers({.status = 400, .reason = "bad request", .ours_if_translated = true}),
    callers({.status = 413, .reason = "request too large"}),
    callers({.status = 422, .reason = "unprocessable request", .ours_if_translated = true}),
    // What the model said by chance it may not say again.
    ask_again({.kind = "broken_tool_call", .reason = "tool call does not fit its schema"}),
    ask_again({.kind = "answer_wants_its_format", .reason = "the format comes second"}),
    ask_again({.text = "does not match the expected", .reason = "answer not understood"}),
    ask_again({.text = "failed to parse", .reason = "answer not understood"}),
    ask_again({.status = 500, .text = "jinja", .reason = "chat template failed"}),
    ask_again({.status = 503, .text = "loading model", .reason = "model is loading"}),
    // A crashed runner is loaded again by the next request.
    locally({.status = 500, .action = Action::retry_then_next, .reason = "server error"}),
    locally({.status = 503, .reason = "busy"}),
    locally({.status = 300, .status_to = 599, .reason = "failed"}),
    locally({.status = kNoStatus, .reason = "failed in the answer"}),
};

constexpr Row network(std::string_view reason) {
  return {.failure = FailureClass::network, .scope = Scope::provider, .reason = reason};
}
constexpr Row ill(std::string_view reason) {
  return {.scope = Scope::model, .reason = reason};
}
// Our own trouble says nothing about the target.
constexpr Row ours(std::string_view reason) {
  return {.failure = FailureClass::local, .reason = reason};
}

}  // namespace

std::span<const Row> cloud_rows() {
  return kCloudRows;
}
std::span<const Row> local_rows() {
  return kLocalRows;
}

Row transport_row(ErrorCode code) {
  switch (code) {
    case ErrorCode::bad_request:
      return callers({.reason = "bad request"});
    case ErrorCode::too_large:
      return callers({.reason = "request too large"});
    case ErrorCode::unauthorized:
      return callers({.reason = "unauthorized"});
    case ErrorCode::forbidden:
      return callers({.reason = "forbidden"});
    case ErrorCode::not_found:
      return callers({.reason = "no such route"});
    case ErrorCode::dns:
      return network("name does not resolve");
    case ErrorCode::connect:
      return network("cannot connect");
    case ErrorCode::tls:
      return network("TLS failed");
    case ErrorCode::reset:
      return ill("connection broke");
    case ErrorCode::timeout:
      return ill("no progress in time");
    case ErrorCode::status:
      return ill("unknown status");
    case ErrorCode::not_an_answer:
      return ill("not an answer");
    case ErrorCode::empty_answer:
      return ill("empty answer");
    case ErrorCode::truncated:
      return ill("answer cut short");
    case ErrorCode::stream_error:
      return ill("error in the answer");
    case ErrorCode::protocol:
      return ill("garbled answer");
    case ErrorCode::cancelled:
      return callers({.reason = "client left"});
    case ErrorCode::exhausted:
      return ours("no room");
    case ErrorCode::unsupported:
      return cannot({.reason = "no form in this dialect"});
    case ErrorCode::config:
      return ours("configuration");
    case ErrorCode::io:
      return ours("input or output failed");
    case ErrorCode::internal:
      return ours("internal error");
  }
  return ours("internal error");
}

}  // namespace nl::router
