// The body of a Prompt in the Messages dialect.
#include "dialect/json_writer.h"
#include "work/base64.h"
#include "work/endpoint.h"

namespace nl::work {
namespace {

// No provider's own name: each takes it for its best model, as for any it does not know.
constexpr std::string_view kAnyModel = "auto";

void write_content(dialect::JsonWriter& json, const Prompt& prompt) {
  json.key("content").begin_array();
  for (const documents::Image& image : prompt.images) {
    json.begin_object().string("type", "image").key("source").begin_object();
    json.string("type", "base64").string("media_type", image.media_type);
    json.string("data", base64(image.bytes)).end_object().end_object();
  }
  json.begin_object().string("type", "text").string("text", prompt.text).end_object();
  json.end_array();
}

}  // namespace

std::string prompt_body(const Prompt& prompt, BodyFor purpose) {
  std::string body;
  dialect::JsonWriter json(body);
  json.begin_object().string("model", prompt.model.empty() ? kAnyModel : prompt.model);
  if (purpose == BodyFor::answer) {
    json.integer("max_tokens", prompt.max_tokens).boolean("stream", true);
  }
  if (!prompt.system.empty()) json.string("system", prompt.system);
  json.key("messages").begin_array().begin_object().string("role", "user");
  write_content(json, prompt);
  json.end_object().end_array();
  if (!prompt.json_schema.empty()) {
    json.key("output_config").begin_object().key("format").begin_object();
    json.string("type", "json_schema").raw("schema", chat::JsonRaw{prompt.json_schema});
    json.end_object().end_object();
  }
  json.end_object();
  return body;
}

}  // namespace nl::work
