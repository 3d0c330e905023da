#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "dialect/json_writer.h"
#include "dialect/openai_chat.h"
#include "dialect/tool_name.h"

namespace nl::dialect {
namespace {

constexpr std::size_t kStopWordsMax = 4;
constexpr std::size_t kUserBytesMax = 64;
constexpr std::string_view kNoArguments = R"({"type":"object","properties":{}})";
// Thinking budgets as efforts, in tokens: at most this much is low, is medium.
constexpr std::int64_t kLowBudgetMax = 4096;
constexpr std::int64_t kMediumBudgetMax = 16384;

// Every object of a strict schema lists all its properties as required and allows no others; what
// clients of other vendors call strict is less.
bool strict_everywhere(const Value& schema) {
  const Value properties = schema["properties"];
  if (properties.is_object()) {
    if (schema["additionalProperties"].boolean().value_or(true)) return false;
    const Value required = schema["required"];
    for (Value property = properties.first(); property; property = property.next()) {
      bool listed = false;
      for (Value name = required.first(); name; name = name.next()) {
        listed = listed || name.text().escaped == property.key().escaped;
      }
      if (!listed) return false;
    }
  }
  if (!schema.is_object() && !schema.is_array()) return true;
  for (Value child = schema.first(); child; child = child.next()) {
    if (!strict_everywhere(child)) return false;
  }
  return true;
}

// The schema with the empty `properties` that servers insist on.
void write_parameters(JsonWriter& writer, const Value& schema, std::string_view raw) {
  if (schema["properties"].is_object()) {
    writer.raw(chat::JsonRaw{raw});
    return;
  }
  writer.begin_object();
  if (!schema["type"]) writer.string("type", "object");
  for (Value member = schema.first(); member; member = member.next()) {
    if (!member.key_is("properties")) writer.raw(member.key().escaped, member.json());
  }
  writer.key("properties").begin_object().end_object().end_object();
}

class BodyEncoder {
 public:
  BodyEncoder(const chat::Request& request, const EncodeOptions& options, std::string& out)
      : request_(request), options_(options), out_(out), writer_(out) {}

  void run() {
    writer_.begin_object().string("model", options_.model).key("messages");
    openai_chat::encode_messages(request_, options_, out_);
    tools();
    limits();
    sampling();
    reasoning();
    openai_chat::encode_format(request_.format, writer_);
    if (request_.user.escaped.size() <= kUserBytesMax && !request_.user.empty()) {
      writer_.text("user", request_.user);
    }
    if (request_.stream) {
      writer_.boolean("stream", true).key("stream_options").begin_object();
      writer_.boolean("include_usage", true).end_object();
    }
    writer_.members(options_.extra_members).end_object();
  }

 private:
  void tools();
  void tool_choice(const std::vector<const chat::Tool*>& tools);
  void limits();
  void sampling();
  void reasoning();

  const chat::Request& request_;
  const EncodeOptions& options_;
  std::string& out_;
  JsonWriter writer_;
};

void BodyEncoder::tools() {
  const std::vector<const chat::Tool*> tools =
      openai_chat::declared_tools(request_, options_.tools_allowed);
  // Choices about tools without tools are refused.
  if (tools.empty()) return;
  writer_.key("tools").begin_array();
  for (const chat::Tool* tool : tools) {
    openai_chat::encode_function(*tool, options_.server, writer_);
  }
  writer_.end_array();
  tool_choice(tools);
  if (request_.parallel_tools) writer_.boolean("parallel_tool_calls", *request_.parallel_tools);
}

void BodyEncoder::tool_choice(const std::vector<const chat::Tool*>& tools) {
  switch (request_.tool_choice) {
    case chat::ToolChoice::unset:
      return;
    case chat::ToolChoice::automatic:
      writer_.string("tool_choice", "auto");
      return;
    case chat::ToolChoice::any:
      writer_.string("tool_choice", "required");
      return;
    case chat::ToolChoice::none:
      writer_.string("tool_choice", "none");
      return;
    case chat::ToolChoice::named:
      break;
  }
  const std::string wanted = fit_tool_name(request_.tool_choice_name);
  const bool there = std::ranges::any_of(
      tools, [&](const chat::Tool* tool) { return fit_tool_name(tool->name) == wanted; });
  if (!there) return;
  writer_.key("tool_choice").begin_object().string("type", "function");
  writer_.key("function").begin_object().string("name", wanted).end_object().end_object();
}

void BodyEncoder::limits() {
  if (!request_.max_tokens) return;
  const std::int64_t limit =
      std::min(*request_.max_tokens, options_.max_tokens_cap.value_or(*request_.max_tokens));
  writer_.integer(options_.max_completion_tokens ? "max_completion_tokens" : "max_tokens", limit);
}

void BodyEncoder::sampling() {
  const chat::Sampling& sampling = request_.sampling;
  if (!options_.drop_sampling) {
    if (sampling.temperature) writer_.number("temperature", *sampling.temperature);
    if (sampling.top_p) writer_.number("top_p", *sampling.top_p);
  }
  if (sampling.stop.empty()) return;
  writer_.key("stop").begin_array();
  for (std::size_t at = 0; at < std::min(sampling.stop.size(), kStopWordsMax); ++at) {
    writer_.text(sampling.stop[at]);
  }
  writer_.end_array();
}

// Efforts above high are not known everywhere; no effort at all is the server's own choice.
std::string_view effort_word(const chat::Reasoning& reasoning) {
  switch (reasoning.effort) {
    case chat::Effort::none:
      return "none";
    case chat::Effort::minimal:
      return "minimal";
    case chat::Effort::low:
      return "low";
    case chat::Effort::medium:
      return "medium";
    case chat::Effort::high:
    case chat::Effort::xhigh:
    case chat::Effort::max:
      return "high";
    case chat::Effort::unset:
      break;
  }
  if (!reasoning.enabled) return {};
  if (!reasoning.budget_tokens) return "medium";
  if (*reasoning.budget_tokens <= kLowBudgetMax) return "low";
  return *reasoning.budget_tokens <= kMediumBudgetMax ? "medium" : "high";
}

void BodyEncoder::reasoning() {
  if (!options_.reasoning) return;
  const std::string_view word = effort_word(request_.reasoning);
  if (!word.empty()) writer_.string("reasoning_effort", word);
}

}  // namespace

std::vector<const chat::Tool*> openai_chat::declared_tools(
    const chat::Request& request, const std::vector<std::string>& allowed) {
  std::vector<const chat::Tool*> tools;
  for (const chat::Tool& tool : request.tools) {
    if (tool.kind != chat::ToolKind::function || tool.name.empty()) continue;
    const bool listed =
        allowed.empty() || std::ranges::find(allowed, tool.name.utf8()) != allowed.end();
    if (listed) tools.push_back(&tool);
  }
  return tools;
}

void openai_chat::encode_function(const chat::Tool& tool, Server server, JsonWriter& writer) {
  writer.begin_object().string("type", "function").key("function").begin_object();
  writer.string("name", fit_tool_name(tool.name));
  if (!tool.description.empty()) writer.text("description", tool.description);
  writer.key("parameters");
  if (tool.complete_schema && tool.strict.json != "true") {
    writer.raw(tool.schema).end_object().end_object();
    return;
  }
  Document document;
  if (tool.schema.empty() || !document.parse(tool.schema.json) || !document.root().is_object()) {
    writer.raw(chat::JsonRaw{kNoArguments});
  } else {
    write_parameters(writer, document.root(), tool.schema.json);
    if (server == Server::any && tool.strict.json == "true" && document.root()["properties"] &&
        strict_everywhere(document.root())) {
      writer.boolean("strict", true);
    }
  }
  writer.end_object().end_object();
}

void openai_chat::encode_format(const chat::ResponseFormat& format, JsonWriter& writer) {
  switch (format.kind) {
    case chat::Format::text:
      return;
    case chat::Format::json_object:
      writer.key("response_format").begin_object().string("type", "json_object").end_object();
      return;
    case chat::Format::json_schema:
      break;
  }
  writer.key("response_format").begin_object().string("type", "json_schema");
  writer.key("json_schema").begin_object();
  writer.string("name", format.name.empty() ? "answer" : fit_tool_name(format.name));
  writer.raw_unless_empty("schema", format.schema).raw_unless_empty("strict", format.strict);
  writer.end_object().end_object();
}

Result<std::string> OpenAiChat::encode_request(const chat::Request& request,
                                               const EncodeOptions& options) const {
  // Sound goes to a server that hears, and becomes a note for one that does not.
  const bool noted =
      options.server == Server::llama_server && request.only_this_dialect == "input_audio";
  if (!request.only_this_dialect.empty() && !noted) {
    return fail(ErrorCode::unsupported,
                request.only_this_dialect + ": has no form in a translated request");
  }
  std::string out;
  out.reserve(request.body_bytes + request.body_bytes / 8 + 512);
  switch (options.server) {
    case Server::any:
      BodyEncoder(request, options, out).run();
      break;
    case Server::llama_server:
      openai_chat::encode_for_llama_server(request, options, out);
      break;
  }
  return repair_surrogates(std::move(out));
}

}  // namespace nl::dialect
