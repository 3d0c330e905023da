#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "dialect/json_path.h"
#include "dialect/ollama.h"

namespace nl::dialect::ollama {
namespace {

using chat::JsonText;

bool is_absent(const Value& value) {
  return !value || value.is_null();
}

// The type that the first bytes of an image tell; this dialect does not state it.
std::string_view media_type(std::string_view base64) {
  constexpr std::pair<std::string_view, std::string_view> kBeginnings[] = {
      {"/9j/", "image/jpeg"}, {"R0lGOD", "image/gif"}, {"UklGR", "image/webp"}};
  for (const auto& [beginning, type] : kBeginnings) {
    if (base64.starts_with(beginning)) return type;
  }
  return "image/png";
}

class MessageDecoder {
 public:
  MessageDecoder(const Value& root, chat::Request& request) : root_(root), request_(request) {}

  Result<void> message(const Value& message);

 private:
  struct OpenCall {
    JsonText id;
    JsonText name;
  };

  Result<void> plain(const Value& message, chat::Message& made);
  Result<void> assistant(const Value& message);
  Result<void> tool_call(const Value& call, chat::Message& made);
  Result<void> tool_result(const Value& message);
  Result<JsonText> content(const Value& message) const;
  Result<std::vector<chat::Image>> images(const Value& message);
  JsonText result_id(const Value& message);
  JsonText mint() { return {request_.keep(fmt::format("call_minted_{}", minted_++))}; }

  const Value& root_;
  chat::Request& request_;
  bool leading_ = true;               // no message but system ones so far
  bool gathering_ = false;            // the last message holds tool results
  std::vector<OpenCall> unanswered_;  // calls of the last assistant turn
  std::uint32_t minted_ = 0;
};

Result<void> MessageDecoder::message(const Value& message) {
  if (!message.is_object()) return refuse_type(root_, message, "an object");
  const Value role = message["role"];
  if (!role) return refuse_missing(root_, message, "role");
  if (role.equals("tool")) {
    leading_ = false;
    return tool_result(message);
  }
  gathering_ = false;
  if (role.equals("system")) {
    auto text = content(message);
    if (!text) return std::unexpected(std::move(text.error()));
    if (leading_) {
      request_.system.push_back({*text, {}});
    } else {
      request_.messages.push_back({chat::Role::system, {chat::Text{*text, {}}}});
    }
    return {};
  }
  leading_ = false;
  if (role.equals("assistant")) return assistant(message);
  if (!role.equals("user")) {
    return refuse_type(root_, role, "\"system\", \"user\", \"assistant\" or \"tool\"");
  }
  chat::Message made{chat::Role::user, {}};
  if (auto read = plain(message, made); !read) return read;
  request_.messages.push_back(std::move(made));
  return {};
}

Result<JsonText> MessageDecoder::content(const Value& message) const {
  const Value text = message["content"];
  if (!is_absent(text) && !text.is_string()) return refuse_type(root_, text, "a string");
  return text.text();
}

Result<std::vector<chat::Image>> MessageDecoder::images(const Value& message) {
  const Value list = message["images"];
  if (!is_absent(list) && !list.is_array()) return refuse_type(root_, list, "an array");
  std::vector<chat::Image> made;
  for (Value data = list.first(); data; data = data.next()) {
    if (!data.is_string() || data.text().empty()) return refuse_type(root_, data, "base64 data");
    chat::Image image;
    // Some encoders write "\/": the base64 alphabet needs no escape, so keep the resolved form.
    image.base64 = data.text();
    if (!data.text().plain()) {
      image.base64 = {request_.keep(chat::escape(data.text().utf8()))};
    }
    image.media_type = {media_type(image.base64.escaped)};
    made.push_back(image);
  }
  return made;
}

// Content and images of a user's or an assistant's message.
Result<void> MessageDecoder::plain(const Value& message, chat::Message& made) {
  auto text = content(message);
  if (!text) return std::unexpected(std::move(text.error()));
  if (!text->empty()) made.content.emplace_back(chat::Text{*text, {}});
  auto pictures = images(message);
  if (!pictures) return std::unexpected(std::move(pictures.error()));
  for (const chat::Image& image : *pictures) made.content.emplace_back(image);
  return {};
}

// An answer's own thinking comes back here from some clients; no vendor wants a foreign one.
Result<void> MessageDecoder::assistant(const Value& message) {
  chat::Message made{chat::Role::assistant, {}};
  if (auto read = plain(message, made); !read) return read;
  unanswered_.clear();
  const Value calls = message["tool_calls"];
  if (!is_absent(calls) && !calls.is_array()) return refuse_type(root_, calls, "an array");
  for (Value call = calls.first(); call; call = call.next()) {
    if (auto read = tool_call(call, made); !read) return read;
  }
  request_.messages.push_back(std::move(made));
  return {};
}

Result<void> MessageDecoder::tool_call(const Value& call, chat::Message& made) {
  if (!call.is_object()) return refuse_type(root_, call, "an object");
  const Value function = call["function"];
  if (!function) return refuse_missing(root_, call, "function");
  if (!function.is_object()) return refuse_type(root_, function, "an object");
  const Value name = function["name"];
  if (!name) return refuse_missing(root_, function, "name");
  if (!name.is_string() || name.text().empty()) return refuse_type(root_, name, "a name");
  const Value arguments = function["arguments"];
  if (!is_absent(arguments) && !arguments.is_object()) {
    return refuse_type(root_, arguments, "an object");
  }
  const Value id = call["id"];
  if (!is_absent(id) && !id.is_string()) return refuse_type(root_, id, "a string");
  chat::ToolUse use;
  use.id = id.text().empty() ? mint() : id.text();
  use.name = name.text();
  use.input = arguments.is_object() ? arguments.json() : chat::JsonRaw{"{}"};
  unanswered_.push_back({use.id, use.name});
  made.content.emplace_back(use);
  return {};
}

// The call that a tool message answers: by its id, else the first open one of that name, else the
// first open one.
JsonText MessageDecoder::result_id(const Value& message) {
  const JsonText id = message["tool_call_id"].text();
  const JsonText name = message["tool_name"].text();
  auto found = std::ranges::find_if(unanswered_, [&](const OpenCall& call) {
    return id.empty() ? call.name.escaped == name.escaped : call.id.escaped == id.escaped;
  });
  if (found == unanswered_.end() && id.empty()) found = unanswered_.begin();
  if (found == unanswered_.end()) return id.empty() ? mint() : id;
  const JsonText answered = found->id;
  unanswered_.erase(found);
  return answered;
}

Result<void> MessageDecoder::tool_result(const Value& message) {
  auto text = content(message);
  if (!text) return std::unexpected(std::move(text.error()));
  auto pictures = images(message);
  if (!pictures) return std::unexpected(std::move(pictures.error()));
  chat::ToolResult result;
  result.tool_use_id = result_id(message);
  if (!text->empty()) result.content.emplace_back(chat::Text{*text, {}});
  for (const chat::Image& image : *pictures) result.content.emplace_back(image);
  if (!gathering_) request_.messages.push_back({chat::Role::user, {}});
  gathering_ = true;
  request_.messages.back().content.emplace_back(std::move(result));
  return {};
}

}  // namespace

// No messages at all asks for the model to be loaded, which is the server's own affair.
Result<void> decode_messages(const Value& root, chat::Request& request) {
  const Value messages = root["messages"];
  if (!messages) return refuse_missing(root, root, "messages");
  if (!messages.is_array()) return refuse_type(root, messages, "an array");
  if (messages.size() == 0) return refuse_type(root, messages, "at least one message");
  MessageDecoder decoder(root, request);
  for (Value message = messages.first(); message; message = message.next()) {
    if (auto read = decoder.message(message); !read) return read;
  }
  return {};
}

}  // namespace nl::dialect::ollama
