#include <algorithm>
#include <bit>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "dialect/json_writer.h"
#include "dialect/ollama.h"
#include "dialect/tool_name.h"

namespace nl::dialect {
namespace {

// Room for an answer to a request that states no limit.
constexpr std::int64_t kAnswerTokens = 4096;

std::optional<std::int64_t> answer_tokens(const chat::Request& request,
                                          const EncodeOptions& options) {
  if (!request.max_tokens) return std::nullopt;
  return std::min(*request.max_tokens, options.max_tokens_cap.value_or(*request.max_tokens));
}

class BodyEncoder {
 public:
  BodyEncoder(const chat::Request& request, const EncodeOptions& options, std::string& out)
      : request_(request), options_(options), out_(out), writer_(out) {}

  void run() {
    writer_.begin_object().string("model", options_.model).key("messages");
    ollama::encode_messages(request_, options_, out_);
    tools();
    if (!reads_ahead()) format();
    // A model that can think does so unless told not to; one that cannot refuses only `true`.
    writer_.boolean("think", options_.reasoning && request_.reasoning.enabled);
    // Stated always: the server streams unless told not to.
    writer_.boolean("stream", reads_ahead() || request_.stream);
    // A prompt or an answer that outgrows the window is an error, never a conversation with its
    // beginning cut off.
    writer_.boolean("truncate", false).boolean("shift", false);
    model_options();
    // What was read is of use only while the model stays loaded.
    if (reads_ahead()) writer_.integer("keep_alive", -1);
    writer_.members(options_.extra_members).end_object();
  }

 private:
  bool reads_ahead() const { return options_.purpose == Purpose::read_ahead; }
  bool declared(const chat::Tool& tool) const;
  void tools();
  void function(const chat::Tool& tool);
  void format();
  void model_options();

  const chat::Request& request_;
  const EncodeOptions& options_;
  std::string& out_;
  JsonWriter writer_;
  Document document_;
};

// A choice among tools has no form here: what the client rules out is not declared.
bool BodyEncoder::declared(const chat::Tool& tool) const {
  if (tool.kind != chat::ToolKind::function || tool.name.empty()) return false;
  const std::string name = tool.name.utf8();
  if (!options_.tools_allowed.empty() &&
      std::ranges::find(options_.tools_allowed, name) == options_.tools_allowed.end()) {
    return false;
  }
  switch (request_.tool_choice) {
    case chat::ToolChoice::unset:
    case chat::ToolChoice::automatic:
    case chat::ToolChoice::any:
      return true;
    case chat::ToolChoice::none:
      return false;
    case chat::ToolChoice::named:
      return name == request_.tool_choice_name.utf8();
  }
  return true;
}

void BodyEncoder::tools() {
  bool any = false;
  for (const chat::Tool& tool : request_.tools) {
    if (!declared(tool)) continue;
    if (!any) writer_.key("tools").begin_array();
    any = true;
    function(tool);
  }
  if (any) writer_.end_array();
}

void BodyEncoder::function(const chat::Tool& tool) {
  writer_.begin_object().string("type", "function").key("function").begin_object();
  writer_.string("name", fit_tool_name(tool.name));
  if (!tool.description.empty()) writer_.text("description", tool.description);
  writer_.key("parameters");
  const bool has_schema = !tool.schema.empty() && document_.parse(tool.schema.json);
  ollama::write_parameters(has_schema ? document_.root() : Value(), out_);
  writer_.end_object().end_object();
}

void BodyEncoder::format() {
  const chat::ResponseFormat& format = request_.format;
  switch (format.kind) {
    case chat::Format::text:
      return;
    case chat::Format::json_object:
      writer_.string("format", "json");
      return;
    case chat::Format::json_schema:
      format.schema.empty() ? writer_.string("format", "json")
                            : writer_.raw("format", format.schema);
      return;
  }
}

void BodyEncoder::model_options() {
  const chat::Sampling& sampling = request_.sampling;
  writer_.key("options").begin_object();
  writer_.integer("num_ctx", ollama::context_tokens(request_, options_));
  if (reads_ahead()) {
    // Less than one token cannot be asked for: 0 would read nothing.
    writer_.integer("num_predict", 1).end_object();
    return;
  }
  if (const auto limit = answer_tokens(request_, options_)) writer_.integer("num_predict", *limit);
  if (!options_.drop_sampling) {
    if (sampling.temperature) writer_.number("temperature", *sampling.temperature);
    if (sampling.top_p) writer_.number("top_p", *sampling.top_p);
    if (sampling.top_k) writer_.integer("top_k", *sampling.top_k);
  }
  if (sampling.seed) writer_.integer("seed", *sampling.seed);
  if (!sampling.stop.empty()) {
    writer_.key("stop").begin_array();
    for (const chat::JsonText& word : sampling.stop) writer_.text(word);
    writer_.end_array();
  }
  writer_.end_object();
}

}  // namespace

std::int64_t ollama::context_tokens(const chat::Request& request, const EncodeOptions& options) {
  if (options.context_tokens) return *options.context_tokens;
  const std::int64_t prompt = estimate_tokens(request);
  // The estimate runs low for scripts of many bytes and for code: a quarter on top.
  const std::int64_t need =
      prompt + prompt / 4 +
      std::min(answer_tokens(request, options).value_or(kAnswerTokens), kContextTokensMax);
  const auto bounded =
      static_cast<std::uint64_t>(std::clamp(need, kContextTokensMin, kContextTokensMax));
  return static_cast<std::int64_t>(std::bit_ceil(bounded));
}

Result<std::string> Ollama::encode_request(const chat::Request& request,
                                           const EncodeOptions& options) const {
  if (!request.only_this_dialect.empty()) {
    return fail(ErrorCode::unsupported,
                request.only_this_dialect + ": has no form in a translated request");
  }
  std::string out;
  out.reserve(request.body_bytes + request.body_bytes / 8 + 512);
  BodyEncoder(request, options, out).run();
  return repair_surrogates(std::move(out));
}

}  // namespace nl::dialect
