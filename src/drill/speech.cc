// The drill's client side of the two dialects: bodies out, answers in.
#include <fmt/format.h>

#include "dialect/json.h"
#include "dialect/json_writer.h"
#include "drill/client.h"

namespace nl::drill {
namespace {

using dialect::DialectId;
using dialect::JsonWriter;
using dialect::Value;
using Role = DrillMessage::Role;

constexpr const char* kAnthropicModel = "claude-opus-5-5";
constexpr const char* kOpenAiModel = "gpt-5.5";
constexpr int kTokensMax = 600;
constexpr std::string_view kSchema =
    R"({"type":"object","properties":{"command":{"type":"string"}},"required":["command"]})";

void write_tools(JsonWriter& json, DialectId dialect) {
  json.key("tools").begin_array().begin_object();
  if (dialect == DialectId::anthropic) {
    json.string("name", "Bash").string("description", "Runs a shell command");
    json.raw("input_schema", chat::JsonRaw{kSchema});
  } else {
    json.string("type", "function").key("function").begin_object();
    json.string("name", "Bash").string("description", "Runs a shell command");
    json.raw("parameters", chat::JsonRaw{kSchema}).end_object();
  }
  json.end_object().end_array();
}

void write_anthropic(JsonWriter& json, const DrillMessage& message) {
  json.begin_object().string("role", message.role == Role::assistant ? "assistant" : "user");
  json.key("content").begin_array();
  if (message.role == Role::tool) {
    json.begin_object().string("type", "tool_result").string("tool_use_id", message.call_id);
    json.string("content", message.text).end_object();
  } else if (!message.text.empty()) {
    json.begin_object().string("type", "text").string("text", message.text).end_object();
  }
  if (message.role == Role::assistant && !message.call_id.empty()) {
    json.begin_object().string("type", "tool_use").string("id", message.call_id);
    json.string("name", "Bash").raw("input", chat::JsonRaw{message.arguments}).end_object();
  }
  json.end_array().end_object();
}

void write_openai(JsonWriter& json, const DrillMessage& message) {
  constexpr const char* kRoles[] = {"user", "assistant", "tool"};
  json.begin_object().string("role", kRoles[static_cast<int>(message.role)]);
  if (message.role == Role::tool) json.string("tool_call_id", message.call_id);
  json.string("content", message.text);
  if (message.role == Role::assistant && !message.call_id.empty()) {
    json.key("tool_calls").begin_array().begin_object();
    json.string("id", message.call_id).string("type", "function").key("function").begin_object();
    json.string("name", "Bash").string("arguments", message.arguments);
    json.end_object().end_object().end_array();
  }
  json.end_object();
}

std::string error_text(Value error) {
  const std::string message = error["message"].text().utf8();
  return message.empty() ? std::string(error.raw().substr(0, 200)) : message;
}

void read_anthropic_whole(Value root, DrillAnswer& answer) {
  if (!root["stop_reason"].is_string()) answer.trouble = "no stop_reason";
  for (Value block = root["content"].first(); block; block = block.next()) {
    if (block["type"].equals("text")) answer.text += block["text"].text().utf8();
    if (!block["type"].equals("tool_use") || !answer.call_id.empty()) continue;
    answer.call_id = block["id"].text().utf8();
    answer.call_name = block["name"].text().utf8();
    answer.arguments = block["input"].raw();
  }
}

void read_call(Value call, DrillAnswer& answer) {
  // Arguments come in pieces, the id with the first one.
  if (const std::string id = call["id"].text().utf8(); !id.empty()) answer.call_id = id;
  answer.call_name += call["function"]["name"].text().utf8();
  answer.arguments += call["function"]["arguments"].text().utf8();
}

bool read_anthropic_event(Value root, DrillAnswer& answer) {
  if (root["type"].equals("error")) {
    answer.trouble = "error event: " + error_text(root["error"]);
    return false;
  }
  if (root["type"].equals("content_block_start") &&
      root["content_block"]["type"].equals("tool_use")) {
    answer.call_id = root["content_block"]["id"].text().utf8();
    answer.call_name = root["content_block"]["name"].text().utf8();
  }
  answer.text += root["delta"]["text"].text().utf8();
  answer.arguments += root["delta"]["partial_json"].text().utf8();
  return root["type"].equals("message_stop");
}

}  // namespace

std::string drill_body(const DrillQuestion& question) {
  const bool anthropic = question.dialect == DialectId::anthropic;
  std::string body;
  JsonWriter json(body);
  json.begin_object().string("model", anthropic ? kAnthropicModel : kOpenAiModel);
  json.integer("max_tokens", kTokensMax);
  if (question.form == DrillForm::stream) {
    json.boolean("stream", true);
    if (!anthropic) json.raw("stream_options", chat::JsonRaw{R"({"include_usage":true})"});
  }
  json.key("messages").begin_array();
  for (const DrillMessage& message : question.messages) {
    if (anthropic) {
      write_anthropic(json, message);
    } else {
      write_openai(json, message);
    }
  }
  json.end_array();
  if (question.tools == DrillTools::shell) write_tools(json, question.dialect);
  json.end_object();
  return body;
}

void read_drill_whole(DialectId dialect, std::string_view body, DrillAnswer& answer) {
  dialect::Document document;
  if (!document.parse(body)) {
    answer.trouble = "the answer is no JSON";
    return;
  }
  const Value root = document.root();
  if (root["error"].is_object()) {
    answer.trouble = error_text(root["error"]);
  } else if (dialect == DialectId::anthropic) {
    read_anthropic_whole(root, answer);
  } else {
    const Value choice = root["choices"].first();
    if (!choice["finish_reason"].is_string()) answer.trouble = "no finish_reason";
    answer.text = choice["message"]["content"].text().utf8();
    const Value call = choice["message"]["tool_calls"].first();
    if (call) read_call(call, answer);
  }
}

bool read_drill_event(DialectId dialect, std::string_view data, DrillAnswer& answer) {
  if (data == "[DONE]") return true;
  dialect::Document document;
  if (!document.parse(data)) {
    answer.trouble = "an event is no JSON";
    return false;
  }
  const Value root = document.root();
  if (dialect == DialectId::anthropic) return read_anthropic_event(root, answer);
  if (root["error"].is_object()) {
    answer.trouble = "error event: " + error_text(root["error"]);
    return false;
  }
  const Value delta = root["choices"].first()["delta"];
  answer.text += delta["content"].text().utf8();
  for (Value call = delta["tool_calls"].first(); call; call = call.next()) read_call(call, answer);
  return false;
}

}  // namespace nl::drill
