#include "dialect/openai_chat_facts.h"

#include <optional>
#include <string_view>

#include "dialect/members.h"

namespace nl::dialect::openai_chat {
namespace {

using chat::StopReason;

// An amount of tokens; a negative or broken one counts as not stated.
std::optional<std::int64_t> count(const Value& value) {
  const auto number = value.integer();
  return number && *number >= 0 ? number : std::nullopt;
}

}  // namespace

chat::Usage read_usage(const Value& usage) {
  Value prompt, completion, details, completion_details, hits, cached, written;
  find_members(usage, {{"prompt_tokens", &prompt},
                       {"completion_tokens", &completion},
                       {"prompt_tokens_details", &details},
                       {"completion_tokens_details", &completion_details},
                       {"prompt_cache_hit_tokens", &hits}});
  find_members(details, {{"cached_tokens", &cached}, {"cache_write_tokens", &written}});
  chat::Usage read;
  read.cache_read = count(cached);
  if (!read.cache_read) read.cache_read = count(hits);
  read.cache_write = count(written);
  // This vendor's prompt count includes what came from the cache.
  if (const auto tokens = count(prompt)) {
    const std::int64_t kept = read.cache_read.value_or(0) + read.cache_write.value_or(0);
    read.input = *tokens > kept ? *tokens - kept : 0;
  }
  read.output = count(completion);
  read.reasoning = count(completion_details["reasoning_tokens"]);
  return read;
}

chat::Usage read_timings(const Value& timings) {
  chat::Usage read;
  read.input = count(timings["prompt_n"]);
  read.cache_read = count(timings["cache_n"]);
  read.output = count(timings["predicted_n"]);
  return read;
}

// A word that is not on the list ends an answer as "stop" does: servers invent their own ("eos").
StopReason stop_of(const Value& reason) {
  if (reason.equals("stop")) return StopReason::end_turn;
  if (reason.equals("length") || reason.equals("model_length")) return StopReason::max_tokens;
  if (reason.equals("content_filter")) return StopReason::refusal;
  if (reason.equals("tool_calls") || reason.equals("function_call")) return StopReason::tool_use;
  if (reason.equals("error")) return StopReason::error;
  return StopReason::end_turn;
}

int error_status(const Value& error) {
  for (const std::string_view name : {"code", "status", "status_code", "http_status"}) {
    const auto status = error[name].integer();
    if (status && *status >= 400 && *status < 600) return static_cast<int>(*status);
  }
  return 0;
}

}  // namespace nl::dialect::openai_chat
