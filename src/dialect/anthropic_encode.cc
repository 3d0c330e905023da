#include "dialect/anthropic_encode.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "dialect/anthropic.h"

namespace nl::dialect {
namespace {

using anthropic::CacheMarks;
using chat::Effort;
using chat::Request;

constexpr std::int64_t kMaxTokensDefault = 32000;
constexpr std::int64_t kThinkingTokensMin = 1024;
constexpr std::size_t kUserBytesMax = 256;
constexpr std::string_view kJsonObjectWish =
    "Answer with one JSON object and nothing else: no prose around it, no code fence.";

std::int64_t max_tokens(const Request& request, const EncodeOptions& options) {
  const std::int64_t wanted =
      std::max<std::int64_t>(request.max_tokens.value_or(kMaxTokensDefault), 1);
  return options.max_tokens_cap ? std::min(wanted, *options.max_tokens_cap) : wanted;
}

std::int64_t budget_of(Effort effort) {
  switch (effort) {
    case Effort::none:
    case Effort::minimal:
      return kThinkingTokensMin;
    case Effort::low:
      return 2048;
    case Effort::unset:
    case Effort::medium:
      return 8192;
    case Effort::high:
      return 16384;
    case Effort::xhigh:
    case Effort::max:
      return 31999;
  }
  return 8192;
}

std::string_view effort_name(Effort effort) {
  switch (effort) {
    case Effort::unset:
    case Effort::none:
      return "";
    case Effort::minimal:
    case Effort::low:
      return "low";
    case Effort::medium:
      return "medium";
    case Effort::high:
      return "high";
    case Effort::xhigh:
      return "xhigh";
    case Effort::max:
      return "max";
  }
  return "";
}

// With thinking on, the vendor wants a tool loop's last answer to begin with the thinking that it
// signed, which no translated body has.
bool in_tool_loop(const std::vector<Turn>& turns) {
  if (turns.empty() || turns.back().items.empty()) return false;
  const ItemKind first = turns.back().items.front().kind;
  return first == ItemKind::result || first == ItemKind::missing_result;
}

enum class ThinkingForm : std::uint8_t { off, budget, adaptive };

// What the request's thinking becomes. Models that refuse sampling settings are those that take
// thinking in its adaptive form alone.
struct Thinking {
  ThinkingForm form = ThinkingForm::off;
  std::int64_t budget = 0;
};

Thinking plan_thinking(const Request& request, const EncodeOptions& options,
                       const std::vector<Turn>& turns) {
  const bool forced = request.tool_choice == chat::ToolChoice::any ||
                      request.tool_choice == chat::ToolChoice::named;
  if (!options.reasoning || !request.reasoning.enabled ||
      request.reasoning.effort == Effort::none || forced || in_tool_loop(turns)) {
    return {};
  }
  if (options.drop_sampling) return {ThinkingForm::adaptive, 0};
  // Half of the answer's room at most: thinking counts against max_tokens.
  const std::int64_t wanted =
      request.reasoning.budget_tokens.value_or(budget_of(request.reasoning.effort));
  const std::int64_t budget = std::min(wanted, max_tokens(request, options) / 2);
  if (budget < kThinkingTokensMin) return {};
  return {ThinkingForm::budget, budget};
}

void append_thinking(JsonWriter& json, const Thinking& thinking) {
  switch (thinking.form) {
    case ThinkingForm::off:
      return;
    case ThinkingForm::budget:
      json.key("thinking").begin_object().string("type", "enabled");
      json.integer("budget_tokens", thinking.budget).end_object();
      return;
    case ThinkingForm::adaptive:
      json.key("thinking").begin_object().string("type", "adaptive").end_object();
      return;
  }
}

void append_output_config(JsonWriter& json, const Request& request, const Thinking& thinking) {
  const std::string_view effort = thinking.form == ThinkingForm::adaptive
                                      ? effort_name(request.reasoning.effort)
                                      : std::string_view();
  const bool schema =
      request.format.kind == chat::Format::json_schema && !request.format.schema.empty();
  if (effort.empty() && !schema) return;
  json.key("output_config").begin_object();
  if (!effort.empty()) json.string("effort", effort);
  if (schema) {
    json.key("format").begin_object().string("type", "json_schema");
    json.raw("schema", request.format.schema).end_object();
  }
  json.end_object();
}

// Thinking fixes the sampling. Newer models refuse temperature and top_p together: the first wins.
void append_sampling(JsonWriter& json, const Request& request, const EncodeOptions& options,
                     const Thinking& thinking) {
  const chat::Sampling& sampling = request.sampling;
  if (!options.drop_sampling && thinking.form == ThinkingForm::off) {
    if (sampling.temperature) {
      json.number("temperature", std::clamp(*sampling.temperature, 0.0, 1.0));
    } else if (sampling.top_p) {
      json.number("top_p", std::clamp(*sampling.top_p, 0.0, 1.0));
    }
    if (sampling.top_k && *sampling.top_k > 0) json.integer("top_k", *sampling.top_k);
  }
  bool any = false;
  for (const chat::JsonText stop : sampling.stop) {
    if (anthropic::is_blank(stop)) continue;
    if (!any) json.key("stop_sequences").begin_array();
    any = true;
    json.text(stop);
  }
  if (any) json.end_array();
}

void append_system(JsonWriter& json, const Request& request, CacheMarks& marks) {
  bool any = false;
  const auto add = [&](const chat::Text& text) {
    // A client's note to its own vendor does not travel, whatever role it came in.
    if (text.text.escaped.starts_with(anthropic::kBillingMark)) return;
    if (anthropic::is_blank(text.text)) return;
    if (!any) json.key("system").begin_array();
    any = true;
    anthropic::append_text(json, text, marks);
  };
  for (const chat::Text& text : request.system) add(text);
  const std::size_t leading = leading_system_messages(request);
  for (std::size_t at = 0; at < leading; ++at) {
    for (const chat::Block& block : request.messages[at].content) {
      if (const auto* text = std::get_if<chat::Text>(&block)) add(*text);
    }
  }
  if (request.format.kind == chat::Format::json_object) add({chat::JsonText{kJsonObjectWish}, {}});
  if (any) json.end_array();
}

void append_user(JsonWriter& json, chat::JsonText user) {
  if (user.empty() || user.escaped.size() > kUserBytesMax) return;
  json.key("metadata").begin_object().text("user_id", user).end_object();
}

}  // namespace

Result<std::string> Anthropic::encode_request(const Request& request,
                                              const EncodeOptions& options) const {
  if (!request.only_this_dialect.empty()) {
    return fail(ErrorCode::unsupported,
                fmt::format("{} has no form for this target", request.only_this_dialect), 400);
  }
  const std::vector<Turn> turns = make_turns(request);
  const Thinking thinking = plan_thinking(request, options, turns);
  CacheMarks marks;
  std::string body;
  body.reserve(request.body_bytes + request.body_bytes / 8 + 1024);
  JsonWriter json(body);
  json.begin_object().string("model", options.model);
  json.integer("max_tokens", max_tokens(request, options));
  // Tools, system, messages: the order in which the vendor caches.
  anthropic::append_tools(json, request, options, marks);
  append_system(json, request, marks);
  json.key("messages");
  anthropic::append_messages(json, turns, options, marks);
  append_thinking(json, thinking);
  append_output_config(json, request, thinking);
  append_sampling(json, request, options, thinking);
  append_user(json, request.user);
  if (request.stream) json.boolean("stream", true);
  json.members(options.extra_members).end_object();
  return repair_surrogates(std::move(body));
}

}  // namespace nl::dialect
