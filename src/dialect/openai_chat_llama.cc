// The body for llama-server: see Server::llama_server in dialect.h.
//
// The server has members that change what it is (grammar, slot, chat template, how long it runs),
// so nothing goes through by being unknown. Where it deviates from its dialect the body avoids the
// deviation: a named tool choice is not seen, a format makes it ignore tools, "none" still lets
// calls come out as text, and an unsaid limit means the end of the window.
#include <algorithm>
#include <string>
#include <vector>

#include "dialect/json_writer.h"
#include "dialect/openai_chat.h"
#include "dialect/tool_name.h"

namespace nl::dialect {
namespace {

constexpr std::int64_t kAnswerTokens = 4096;  // where the client does not say
// Room that is always left for an answer: the prompt's size is an estimate.
constexpr std::int64_t kAnswerTokensMin = 512;
constexpr std::size_t kStopWordsMax = 16;
constexpr std::int64_t kSeedBits = 0xffffffff;

// Thinking budgets in tokens for an effort in words.
std::int64_t budget_of(const chat::Reasoning& reasoning) {
  if (reasoning.budget_tokens) return *reasoning.budget_tokens;
  switch (reasoning.effort) {
    case chat::Effort::none:
    case chat::Effort::minimal:
      return 512;
    case chat::Effort::low:
      return 1024;
    case chat::Effort::unset:
    case chat::Effort::medium:
      return 4096;
    case chat::Effort::high:
      return 8192;
    case chat::Effort::xhigh:
    case chat::Effort::max:
      return 16384;
  }
  return 4096;
}

class LlamaBody {
 public:
  LlamaBody(const chat::Request& request, const EncodeOptions& options, std::string& out)
      : request_(request), options_(options), out_(out), writer_(out) {}

  void run() {
    writer_.begin_object().string("model", options_.model).key("messages");
    openai_chat::encode_messages(request_, options_, out_);
    tools();
    switch (options_.purpose) {
      case Purpose::answer:
        writer_.integer("max_tokens", answer_tokens());
        sampling();
        if (!has_tools_) openai_chat::encode_format(request_.format, writer_);
        break;
      case Purpose::read_ahead:
        // What opens the model's turn differs from what a finished turn looks like in the history
        // of the next one.
        writer_.integer("max_tokens", 0).boolean("add_generation_prompt", false);
        break;
    }
    thinking();
    writer_.boolean("cache_prompt", true);
    writer_.boolean("stream", true).key("stream_options").begin_object();
    writer_.boolean("include_usage", true).end_object();
    writer_.boolean("return_progress", true).end_object();
  }

 private:
  void tools();
  void sampling();
  void thinking();
  std::int64_t answer_tokens() const;

  const chat::Request& request_;
  const EncodeOptions& options_;
  std::string& out_;
  JsonWriter writer_;
  bool has_tools_ = false;
};

void LlamaBody::tools() {
  if (request_.tool_choice == chat::ToolChoice::none) return;
  std::vector<const chat::Tool*> tools =
      openai_chat::declared_tools(request_, options_.tools_allowed);
  if (tools.empty()) return;
  has_tools_ = true;
  bool required = request_.tool_choice == chat::ToolChoice::any;
  if (request_.tool_choice == chat::ToolChoice::named) {
    const std::string wanted = request_.tool_choice_name.utf8();
    const auto named = std::ranges::find_if(
        tools, [&](const chat::Tool* tool) { return tool->name.utf8() == wanted; });
    if (named != tools.end()) {
      tools = {*named};
      required = true;
    }
  }
  writer_.key("tools").begin_array();
  for (const chat::Tool* tool : tools) {
    openai_chat::encode_function(*tool, options_.server, writer_);
  }
  writer_.end_array();
  writer_.string("tool_choice", required ? "required" : "auto");
}

std::int64_t LlamaBody::answer_tokens() const {
  std::int64_t limit = request_.max_tokens.value_or(kAnswerTokens);
  if (options_.max_tokens_cap) limit = std::min(limit, *options_.max_tokens_cap);
  if (options_.context_tokens) {
    const std::int64_t rest = *options_.context_tokens - estimate_tokens(request_);
    limit = std::min(limit, std::max(rest, kAnswerTokensMin));
  }
  return std::max<std::int64_t>(limit, 1);
}

// What the client leaves unsaid is the model file's own to say.
void LlamaBody::sampling() {
  const chat::Sampling& sampling = request_.sampling;
  if (!options_.drop_sampling) {
    if (sampling.temperature) writer_.number("temperature", *sampling.temperature);
    if (sampling.top_p) writer_.number("top_p", *sampling.top_p);
    if (sampling.top_k) writer_.integer("top_k", *sampling.top_k);
  }
  if (sampling.seed) writer_.integer("seed", *sampling.seed & kSeedBits);
  if (sampling.stop.empty()) return;
  writer_.key("stop").begin_array();
  for (std::size_t at = 0; at < std::min(sampling.stop.size(), kStopWordsMax); ++at) {
    writer_.text(sampling.stop[at]);
  }
  writer_.end_array();
}

// Always said: the template of a model may think by itself, and a thought without a budget may take
// the whole answer's tokens.
void LlamaBody::thinking() {
  const bool thinks = request_.reasoning.enabled;
  writer_.key("chat_template_kwargs").begin_object();
  writer_.boolean("enable_thinking", thinks).end_object();
  if (!thinks) {
    writer_.string("reasoning_effort", "none");
    return;
  }
  const std::int64_t limit = answer_tokens();
  writer_.integer("thinking_budget_tokens", std::min(budget_of(request_.reasoning), limit / 4 * 3));
}

}  // namespace

void openai_chat::encode_for_llama_server(const chat::Request& request,
                                          const EncodeOptions& options, std::string& out) {
  LlamaBody(request, options, out).run();
}

}  // namespace nl::dialect
