#include <string>
#include <utility>

#include "dialect/json_path.h"
#include "dialect/members.h"
#include "dialect/openai_chat.h"
#include "dialect/tool_schema.h"

namespace nl::dialect {
namespace {

bool is_absent(const Value& value) {
  return !value || value.is_null();
}

// Reads the members beside `messages`. Every one may be null, which clients use for "unset".
class FieldDecoder {
 public:
  FieldDecoder(const Value& root, chat::Request& request) : root_(root), request_(request) {
    find_members(root, {{"model", &model_},
                        {"max_tokens", &max_tokens_},
                        {"temperature", &temperature_},
                        {"stream", &stream_},
                        {"stream_options", &stream_options_},
                        {"tools", &tools_},
                        {"tool_choice", &tool_choice_},
                        {"max_completion_tokens", &max_completion_tokens_},
                        {"parallel_tool_calls", &parallel_tool_calls_},
                        {"top_p", &top_p_},
                        {"top_k", &top_k_},
                        {"seed", &seed_},
                        {"stop", &stop_},
                        {"response_format", &response_format_},
                        {"reasoning_effort", &reasoning_effort_},
                        {"reasoning", &reasoning_},
                        {"user", &user_},
                        {"safety_identifier", &safety_identifier_},
                        {"functions", &functions_},
                        {"function_call", &function_call_},
                        {"n", &n_},
                        {"audio", &audio_},
                        {"prediction", &prediction_},
                        {"logprobs", &logprobs_},
                        {"modalities", &modalities_}});
  }

  Result<void> read() {
    for (const auto step : {&FieldDecoder::model, &FieldDecoder::tools, &FieldDecoder::tool_choice,
                            &FieldDecoder::limits, &FieldDecoder::sampling, &FieldDecoder::format,
                            &FieldDecoder::reasoning, &FieldDecoder::streaming}) {
      if (auto done = (this->*step)(); !done) return done;
    }
    same_dialect_only();
    return {};
  }

 private:
  Result<void> model();
  Result<void> tools();
  Result<void> function(const Value& body, const Value& declaration);
  Result<void> tool_choice();
  Result<void> limits();
  Result<void> sampling();
  Result<void> format();
  Result<void> reasoning();
  Result<void> streaming();
  void same_dialect_only();

  Result<void> integer(const Value& value, std::optional<std::int64_t>& into) const;
  Result<void> number(const Value& value, std::optional<double>& into) const;

  const Value& root_;
  chat::Request& request_;
  Value model_, tools_, functions_, tool_choice_, function_call_;
  Value max_completion_tokens_, max_tokens_, parallel_tool_calls_;
  Value temperature_, top_p_, top_k_, seed_, stop_, response_format_;
  Value reasoning_effort_, reasoning_, stream_, stream_options_, user_, safety_identifier_;
  Value n_, audio_, prediction_, logprobs_, modalities_;
};

Result<void> FieldDecoder::model() {
  if (!model_) return refuse_missing(root_, root_, "model");
  if (!model_.is_string() || model_.text().empty()) {
    return refuse_type(root_, model_, "a model name");
  }
  request_.model = model_.text();
  return {};
}

Result<void> FieldDecoder::tools() {
  if (!is_absent(tools_) && !tools_.is_array()) return refuse_type(root_, tools_, "an array");
  for (Value tool = tools_.first(); tool; tool = tool.next()) {
    if (!tool.is_object()) return refuse_type(root_, tool, "an object");
    if (tool["type"].equals("function") || (!tool["type"] && tool["function"])) {
      const Value body = tool["function"];
      if (!body) return refuse_missing(root_, tool, "function");
      if (auto read = function(body, tool); !read) return read;
      continue;
    }
    chat::Tool vendor;
    vendor.kind = chat::ToolKind::vendor;
    const Value custom = tool["custom"];
    vendor.name = custom ? custom["name"].text() : tool["type"].text();
    vendor.vendor = tool.json();
    request_.tools.push_back(vendor);
  }
  // The older form: bare functions without a wrapper.
  if (!is_absent(functions_) && !functions_.is_array()) {
    return refuse_type(root_, functions_, "an array");
  }
  for (Value body = functions_.first(); body; body = body.next()) {
    if (auto read = function(body, {}); !read) return read;
  }
  return {};
}

Result<void> FieldDecoder::function(const Value& body, const Value& declaration) {
  if (!body.is_object()) return refuse_type(root_, body, "an object");
  const Value name = body["name"];
  if (!name) return refuse_missing(root_, body, "name");
  if (!name.is_string() || name.text().empty()) return refuse_type(root_, name, "a name");
  const Value schema = body["parameters"];
  if (!is_absent(schema) && !schema.is_object()) return refuse_type(root_, schema, "an object");
  chat::Tool tool;
  tool.name = name.text();
  tool.description = body["description"].text();
  if (schema.is_object()) tool.schema = schema.json();
  tool.complete_schema = is_complete_schema(schema);
  if (body["strict"].is_bool()) tool.strict = body["strict"].json();
  const Value mark = declaration["cache_control"];
  if (mark.is_object()) tool.cache_control = mark.json();
  request_.tools.push_back(tool);
  return {};
}

Result<void> FieldDecoder::tool_choice() {
  const Value choice = is_absent(tool_choice_) ? function_call_ : tool_choice_;
  if (is_absent(choice)) return {};
  // Several tools by name narrow the list; the mode is what other vendors can express.
  Value mode = choice;
  if (choice["type"].equals("allowed_tools")) {
    mode = choice["mode"] ? choice["mode"] : choice["allowed_tools"]["mode"];
  }
  if (mode.is_string()) {
    if (mode.equals("auto")) {
      request_.tool_choice = chat::ToolChoice::automatic;
    } else if (mode.equals("none")) {
      request_.tool_choice = chat::ToolChoice::none;
    } else if (mode.equals("required") || mode.equals("any")) {
      request_.tool_choice = chat::ToolChoice::any;
    } else {
      return refuse_type(root_, mode, "\"auto\", \"none\" or \"required\"");
    }
    return {};
  }
  if (!choice.is_object()) return refuse_type(root_, choice, "a string or an object");
  Value name = choice["function"]["name"];
  if (!name) name = choice["custom"]["name"];
  if (!name) name = choice["name"];
  if (!name.is_string() || name.text().empty()) {
    return refuse_type(root_, name ? name : choice, "a function name");
  }
  request_.tool_choice = chat::ToolChoice::named;
  request_.tool_choice_name = name.text();
  return {};
}

Result<void> FieldDecoder::integer(const Value& value, std::optional<std::int64_t>& into) const {
  if (is_absent(value)) return {};
  const auto whole = value.integer();
  if (!whole) return refuse_type(root_, value, "a whole number");
  into = *whole;
  return {};
}

Result<void> FieldDecoder::number(const Value& value, std::optional<double>& into) const {
  if (is_absent(value)) return {};
  const auto number = value.number();
  if (!number) return refuse_type(root_, value, "a number");
  into = *number;
  return {};
}

Result<void> FieldDecoder::limits() {
  const Value& newer = max_completion_tokens_;
  const Value& limit = is_absent(newer) ? max_tokens_ : newer;
  if (auto read = integer(limit, request_.max_tokens); !read) return read;
  if (request_.max_tokens && *request_.max_tokens < 1) {
    return refuse_type(root_, limit, "a number of at least 1");
  }
  if (is_absent(parallel_tool_calls_)) return {};
  if (!parallel_tool_calls_.is_bool()) return refuse_type(root_, parallel_tool_calls_, "a boolean");
  request_.parallel_tools = parallel_tool_calls_.boolean();
  return {};
}

Result<void> FieldDecoder::sampling() {
  if (auto read = number(temperature_, request_.sampling.temperature); !read) return read;
  if (auto read = number(top_p_, request_.sampling.top_p); !read) return read;
  if (auto read = integer(top_k_, request_.sampling.top_k); !read) return read;
  request_.sampling.seed = seed_.integer();
  if (is_absent(stop_)) return {};
  if (stop_.is_string()) {
    if (!stop_.text().empty()) request_.sampling.stop.push_back(stop_.text());
    return {};
  }
  if (!stop_.is_array()) return refuse_type(root_, stop_, "a string or an array");
  for (Value word = stop_.first(); word; word = word.next()) {
    if (!word.is_string()) return refuse_type(root_, word, "a string");
    if (!word.text().empty()) request_.sampling.stop.push_back(word.text());
  }
  return {};
}

Result<void> FieldDecoder::format() {
  const Value& format = response_format_;
  if (is_absent(format)) return {};
  if (!format.is_object()) return refuse_type(root_, format, "an object");
  const Value type = format["type"];
  if (type.equals("text")) return {};
  if (type.equals("json_object")) {
    request_.format.kind = chat::Format::json_object;
    return {};
  }
  if (!type.equals("json_schema")) {
    if (!type.is_string()) return refuse_type(root_, type ? type : format, "a type");
    if (request_.only_this_dialect.empty()) request_.only_this_dialect = "response_format";
    return {};
  }
  const Value body = format["json_schema"];
  if (!body) return refuse_missing(root_, format, "json_schema");
  if (!body.is_object()) return refuse_type(root_, body, "an object");
  const Value schema = body["schema"];
  if (!is_absent(schema) && !schema.is_object()) return refuse_type(root_, schema, "an object");
  request_.format.kind = chat::Format::json_schema;
  request_.format.name = body["name"].text();
  if (schema.is_object()) request_.format.schema = schema.json();
  if (body["strict"].is_bool()) request_.format.strict = body["strict"].json();
  return {};
}

chat::Effort effort_of(const Value& word) {
  using chat::Effort;
  constexpr std::pair<std::string_view, Effort> kWords[] = {
      {"none", Effort::none},     {"minimal", Effort::minimal}, {"low", Effort::low},
      {"medium", Effort::medium}, {"high", Effort::high},       {"xhigh", Effort::xhigh},
      {"max", Effort::max}};
  for (const auto& [text, effort] : kWords) {
    if (word.equals(text)) return effort;
  }
  return Effort::unset;
}

Result<void> FieldDecoder::reasoning() {
  const Value& word = reasoning_effort_;
  if (!is_absent(word)) {
    if (!word.is_string()) return refuse_type(root_, word, "a string");
    request_.reasoning.effort = effort_of(word);
    request_.reasoning.enabled = request_.reasoning.effort != chat::Effort::none;
  }
  const Value& block = reasoning_;
  if (is_absent(block)) return {};
  if (!block.is_object()) return refuse_type(root_, block, "an object");
  if (auto read = integer(block["max_tokens"], request_.reasoning.budget_tokens); !read) {
    return read;
  }
  const Value effort = block["effort"];
  if (!is_absent(effort)) {
    if (!effort.is_string()) return refuse_type(root_, effort, "a string");
    request_.reasoning.effort = effort_of(effort);
  }
  const bool asked = request_.reasoning.budget_tokens.has_value() || !is_absent(effort);
  const bool off = request_.reasoning.effort == chat::Effort::none;
  request_.reasoning.enabled = block["enabled"].boolean().value_or(asked) && !off;
  return {};
}

Result<void> FieldDecoder::streaming() {
  if (!is_absent(stream_)) {
    if (!stream_.is_bool()) return refuse_type(root_, stream_, "a boolean");
    request_.stream = stream_.boolean().value_or(false);
  }
  if (!is_absent(stream_options_)) {
    if (!stream_options_.is_object()) return refuse_type(root_, stream_options_, "an object");
    request_.include_usage = stream_options_["include_usage"].boolean().value_or(false);
  }
  if (!is_absent(user_) && !user_.is_string()) return refuse_type(root_, user_, "a string");
  request_.user = user_.text();
  if (request_.user.empty()) request_.user = safety_identifier_.text();
  return {};
}

// What changes the meaning of an answer and has no equivalent elsewhere.
void FieldDecoder::same_dialect_only() {
  if (!request_.only_this_dialect.empty()) return;
  if (n_.integer().value_or(1) > 1) {
    request_.only_this_dialect = "n";
  } else if (audio_.is_object()) {
    request_.only_this_dialect = "audio";
  } else if (prediction_.is_object()) {
    request_.only_this_dialect = "prediction";
  } else if (logprobs_.boolean().value_or(false)) {
    request_.only_this_dialect = "logprobs";
  } else {
    for (Value mode = modalities_.first(); mode; mode = mode.next()) {
      if (!mode.equals("text")) request_.only_this_dialect = "modalities";
    }
  }
}

}  // namespace

Result<chat::Request> OpenAiChat::decode_request(const Document& document) const {
  const Value root = document.root();
  if (!root.is_object()) return refuse_type(root, root, "an object");
  chat::Request request;
  request.body_bytes = root.raw().size();
  if (auto read = FieldDecoder(root, request).read(); !read) {
    return std::unexpected(std::move(read.error()));
  }
  if (auto read = openai_chat::decode_messages(root, request); !read) {
    return std::unexpected(std::move(read.error()));
  }
  return request;
}

}  // namespace nl::dialect
