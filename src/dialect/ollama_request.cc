#include <string>
#include <utility>

#include "dialect/json_path.h"
#include "dialect/ollama.h"
#include "dialect/tool_schema.h"

namespace nl::dialect {
namespace {

bool is_absent(const Value& value) {
  return !value || value.is_null();
}

// Reads the members beside `messages`. Every one may be null, which clients use for "unset".
class FieldDecoder {
 public:
  FieldDecoder(const Value& root, chat::Request& request)
      : root_(root), options_(root["options"]), request_(request) {}

  Result<void> read() {
    for (const auto step : {&FieldDecoder::model, &FieldDecoder::tools, &FieldDecoder::options,
                            &FieldDecoder::format, &FieldDecoder::think, &FieldDecoder::stream}) {
      if (auto done = (this->*step)(); !done) return done;
    }
    // Asking for these changes the answer, which has no such part elsewhere.
    if (root_["logprobs"].boolean().value_or(false)) request_.only_this_dialect = "logprobs";
    return {};
  }

 private:
  Result<void> model();
  Result<void> tools();
  Result<void> options();
  Result<void> stop();
  Result<void> format();
  Result<void> think();
  Result<void> stream();
  Result<void> integer(std::string_view name, std::optional<std::int64_t>& into) const;
  Result<void> number(std::string_view name, std::optional<double>& into) const;

  const Value& root_;
  const Value options_;
  chat::Request& request_;
};

Result<void> FieldDecoder::model() {
  const Value model = root_["model"];
  if (!model) return refuse_missing(root_, root_, "model");
  if (!model.is_string() || model.text().empty()) {
    return refuse_type(root_, model, "a model name");
  }
  request_.model = model.text();
  return {};
}

Result<void> FieldDecoder::tools() {
  const Value tools = root_["tools"];
  if (!is_absent(tools) && !tools.is_array()) return refuse_type(root_, tools, "an array");
  for (Value declaration = tools.first(); declaration; declaration = declaration.next()) {
    if (!declaration.is_object()) return refuse_type(root_, declaration, "an object");
    const Value body = declaration["function"];
    if (!body) return refuse_missing(root_, declaration, "function");
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
    request_.tools.push_back(tool);
  }
  return {};
}

Result<void> FieldDecoder::integer(std::string_view name, std::optional<std::int64_t>& into) const {
  const Value value = options_[name];
  if (is_absent(value)) return {};
  into = value.integer();
  return into ? Result<void>() : refuse_type(root_, value, "a whole number");
}

Result<void> FieldDecoder::number(std::string_view name, std::optional<double>& into) const {
  const Value value = options_[name];
  if (is_absent(value)) return {};
  into = value.number();
  return into ? Result<void>() : refuse_type(root_, value, "a number");
}

Result<void> FieldDecoder::options() {
  if (!is_absent(options_) && !options_.is_object()) {
    return refuse_type(root_, options_, "an object");
  }
  chat::Sampling& sampling = request_.sampling;
  if (auto read = integer("num_predict", request_.max_tokens); !read) return read;
  // -1 (no limit) and -2 (fill the window) are no limits elsewhere.
  if (request_.max_tokens && *request_.max_tokens < 1) request_.max_tokens.reset();
  if (auto read = number("temperature", sampling.temperature); !read) return read;
  if (auto read = number("top_p", sampling.top_p); !read) return read;
  if (auto read = integer("top_k", sampling.top_k); !read) return read;
  if (auto read = integer("seed", sampling.seed); !read) return read;
  return stop();
}

Result<void> FieldDecoder::stop() {
  const Value stop = options_["stop"];
  if (!is_absent(stop) && !stop.is_array()) return refuse_type(root_, stop, "an array");
  for (Value word = stop.first(); word; word = word.next()) {
    if (!word.is_string()) return refuse_type(root_, word, "a string");
    if (!word.text().empty()) request_.sampling.stop.push_back(word.text());
  }
  return {};
}

Result<void> FieldDecoder::format() {
  const Value format = root_["format"];
  if (is_absent(format) || (format.is_string() && format.text().empty())) return {};
  if (format.equals("json")) {
    request_.format.kind = chat::Format::json_object;
    return {};
  }
  if (!format.is_object()) return refuse_type(root_, format, "\"json\" or a schema");
  request_.format.kind = chat::Format::json_schema;
  request_.format.schema = format.json();
  return {};
}

Result<void> FieldDecoder::think() {
  const Value think = root_["think"];
  if (is_absent(think)) return {};
  chat::Reasoning& reasoning = request_.reasoning;
  if (think.is_bool()) {
    reasoning.enabled = think.boolean().value_or(false);
    return {};
  }
  if (!think.is_string()) return refuse_type(root_, think, "a boolean or a level");
  reasoning.enabled = true;
  if (think.equals("low")) reasoning.effort = chat::Effort::low;
  if (think.equals("medium")) reasoning.effort = chat::Effort::medium;
  if (think.equals("high")) reasoning.effort = chat::Effort::high;
  if (think.equals("max")) reasoning.effort = chat::Effort::max;
  return {};
}

Result<void> FieldDecoder::stream() {
  const Value stream = root_["stream"];
  if (!is_absent(stream) && !stream.is_bool()) return refuse_type(root_, stream, "a boolean");
  request_.stream = stream.boolean().value_or(true);
  request_.include_usage = true;
  return {};
}

}  // namespace

Result<chat::Request> Ollama::decode_request(const Document& document) const {
  const Value root = document.root();
  if (!root.is_object()) return refuse_type(root, root, "an object");
  chat::Request request;
  request.body_bytes = root.raw().size();
  if (auto read = FieldDecoder(root, request).read(); !read) {
    return std::unexpected(std::move(read.error()));
  }
  if (auto read = ollama::decode_messages(root, request); !read) {
    return std::unexpected(std::move(read.error()));
  }
  return request;
}

}  // namespace nl::dialect
