#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "dialect/json_path.h"
#include "dialect/openai_chat.h"

namespace nl::dialect::openai_chat {
namespace {

using chat::JsonRaw;
using chat::JsonText;

constexpr std::string_view kStringOrArray = "a string or an array";

bool is_absent(const Value& value) {
  return !value || value.is_null();
}

bool is_text_part(const Value& part) {
  const Value type = part["type"];
  return type.equals("text") || type.equals("input_text") || type.equals("output_text") ||
         (!type && part["text"].is_string());
}

// "data:image/png;base64,AAAA" -> type and data; nothing for any other URL.
std::optional<std::pair<std::string_view, std::string_view>> split_data_url(std::string_view url) {
  constexpr std::string_view kScheme = "data:";
  constexpr std::string_view kBase64 = ";base64";
  const std::size_t comma = url.find(',');
  if (!url.starts_with(kScheme) || comma == std::string_view::npos) return std::nullopt;
  std::string_view type = url.substr(kScheme.size(), comma - kScheme.size());
  if (!type.ends_with(kBase64)) return std::nullopt;
  type.remove_suffix(kBase64.size());
  // Parameters such as ";charset=x" are no part of the type.
  return std::pair(type.substr(0, type.find(';')), url.substr(comma + 1));
}

class MessageDecoder {
 public:
  MessageDecoder(const Value& root, chat::Request& request) : root_(root), request_(request) {}

  Result<void> message(const Value& message);

 private:
  struct Target {
    std::vector<chat::Block>& blocks;
    bool refusals;  // an assistant's refusal parts are its text
  };

  Result<void> system(const Value& message);
  Result<void> user(const Value& message);
  Result<void> assistant(const Value& message);
  Result<void> tool_result(const Value& message);
  Result<void> tool_call(const Value& call, std::vector<chat::Block>& blocks);
  Result<void> call_body(const Value& body, chat::ToolUse use, std::vector<chat::Block>& blocks);
  Result<void> content(const Value& content, const Target& target);
  Result<void> part(const Value& part, const Target& target);
  Result<chat::Text> text_part(const Value& part) const;
  Result<chat::Image> image_part(const Value& part);
  Result<void> result_part(const Value& part, chat::ToolResult& result);
  Result<JsonText> result_id(const Value& message);

  void only_here(std::string_view what) {
    if (request_.only_this_dialect.empty()) request_.only_this_dialect = what;
  }

  const Value& root_;
  chat::Request& request_;
  bool leading_ = true;               // no message but system ones so far
  bool gathering_ = false;            // the last message holds tool results
  std::vector<JsonText> unanswered_;  // calls of the last assistant turn
  std::uint32_t minted_ = 0;
};

Result<void> MessageDecoder::message(const Value& message) {
  if (!message.is_object()) return refuse_type(root_, message, "an object");
  const Value role = message["role"];
  if (!role) return refuse_missing(root_, message, "role");
  if (!role.is_string()) return refuse_type(root_, role, "a string");
  if (role.equals("system") || role.equals("developer")) return system(message);
  leading_ = false;
  if (role.equals("user")) {
    gathering_ = false;
    return user(message);
  }
  if (role.equals("tool") || role.equals("function")) return tool_result(message);
  gathering_ = false;
  if (role.equals("assistant")) return assistant(message);
  // A role that only this vendor knows still passes through to it.
  only_here(request_.keep("role " + role.text().utf8()));
  return user(message);
}

Result<void> MessageDecoder::system(const Value& message) {
  const Value body = message["content"];
  if (leading_ && body.is_string()) {
    if (!body.text().empty()) request_.system.push_back(chat::Text{body.text(), {}});
    return {};
  }
  std::vector<chat::Block> blocks;
  if (body.is_string()) {
    blocks.emplace_back(chat::Text{body.text(), {}});
  } else if (body.is_array()) {
    for (Value part = body.first(); part; part = part.next()) {
      auto text = text_part(part);
      if (!text) return std::unexpected(std::move(text.error()));
      blocks.emplace_back(*text);
    }
  } else if (!is_absent(body)) {
    return refuse_type(root_, body, kStringOrArray);
  }
  std::erase_if(blocks,
                [](const chat::Block& block) { return std::get<chat::Text>(block).text.empty(); });
  if (blocks.empty()) return {};
  if (!leading_) {
    gathering_ = false;
    request_.messages.push_back({chat::Role::system, std::move(blocks)});
    return {};
  }
  for (const chat::Block& block : blocks) request_.system.push_back(std::get<chat::Text>(block));
  return {};
}

Result<void> MessageDecoder::user(const Value& message) {
  const Value body = message["content"];
  if (!body) return refuse_missing(root_, message, "content");
  chat::Message turn{chat::Role::user, {}};
  auto read = content(body, {turn.content, false});
  if (!read) return read;
  request_.messages.push_back(std::move(turn));
  return {};
}

Result<void> MessageDecoder::assistant(const Value& message) {
  chat::Message turn{chat::Role::assistant, {}};
  // Unsigned, so it goes back only to a server that wants a loop's thoughts with its calls.
  const Value thought = message["reasoning_content"];
  if (thought.is_string() && !thought.text().empty()) {
    turn.content.emplace_back(chat::Thinking{thought.text(), {}, {}});
  }
  if (auto read = content(message["content"], {turn.content, true}); !read) return read;
  const Value refusal = message["refusal"];
  if (refusal.is_string() && !refusal.text().empty()) {
    turn.content.emplace_back(chat::Text{refusal.text(), {}});
  } else if (!is_absent(refusal) && !refusal.is_string()) {
    return refuse_type(root_, refusal, "a string or null");
  }
  if (!is_absent(message["audio"])) only_here("audio");

  unanswered_.clear();
  const Value calls = message["tool_calls"];
  if (!is_absent(calls) && !calls.is_array()) return refuse_type(root_, calls, "an array");
  for (Value call = calls.first(); call; call = call.next()) {
    if (auto read = tool_call(call, turn.content); !read) return read;
  }
  const Value legacy = message["function_call"];
  if (!is_absent(legacy)) {
    if (!legacy.is_object()) return refuse_type(root_, legacy, "an object");
    if (auto read = call_body(legacy, {}, turn.content); !read) return read;
  }
  request_.messages.push_back(std::move(turn));
  return {};
}

Result<void> MessageDecoder::tool_call(const Value& call, std::vector<chat::Block>& blocks) {
  if (!call.is_object()) return refuse_type(root_, call, "an object");
  chat::ToolUse use;
  const Value id = call["id"];
  if (!is_absent(id) && !id.is_string()) return refuse_type(root_, id, "a string");
  use.id = id.text();
  if (call["cache_control"].is_object()) use.cache_control = call["cache_control"].json();
  const Value custom = call["custom"];
  if (custom.is_object()) {
    // A free-text call becomes a function with one argument, which every vendor can hold.
    const Value input = custom["input"];
    if (!input.is_string()) return refuse_type(root_, input ? input : custom, "a string input");
    use.name = custom["name"].text();
    use.input = JsonRaw{request_.keep("{\"input\":" + std::string(input.raw()) + "}")};
    if (use.id.empty()) use.id = {request_.keep(fmt::format("call_minted_{}", minted_++))};
    unanswered_.push_back(use.id);
    blocks.emplace_back(use);
    return {};
  }
  const Value function = call["function"];
  if (!function) return refuse_missing(root_, call, "function");
  if (!function.is_object()) return refuse_type(root_, function, "an object");
  return call_body(function, use, blocks);
}

Result<void> MessageDecoder::call_body(const Value& body, chat::ToolUse use,
                                       std::vector<chat::Block>& blocks) {
  const Value name = body["name"];
  if (!name) return refuse_missing(root_, body, "name");
  if (!name.is_string() || name.text().empty()) return refuse_type(root_, name, "a name");
  use.name = name.text();
  const Value arguments = body["arguments"];
  if (arguments.is_string() && !arguments.text().empty()) {
    use.input_text = arguments.text();
  } else if (arguments.is_object()) {
    use.input = arguments.json();
  } else if (is_absent(arguments) || arguments.is_string()) {
    use.input = JsonRaw{"{}"};
  } else {
    return refuse_type(root_, arguments, "a string");
  }
  if (use.id.empty()) use.id = {request_.keep(fmt::format("call_minted_{}", minted_++))};
  unanswered_.push_back(use.id);
  blocks.emplace_back(use);
  return {};
}

// The call that a tool message answers: by its id, else (older clients) the first one still open.
Result<JsonText> MessageDecoder::result_id(const Value& message) {
  const Value id = message["tool_call_id"];
  if (!is_absent(id) && !id.is_string()) return refuse_type(root_, id, "a string");
  if (id.is_string() && !id.text().empty()) {
    const auto same = [&](JsonText open) { return open.escaped == id.text().escaped; };
    std::erase_if(unanswered_, same);
    return id.text();
  }
  if (unanswered_.empty()) return refuse_missing(root_, message, "tool_call_id");
  const JsonText first = unanswered_.front();
  unanswered_.erase(unanswered_.begin());
  return first;
}

Result<void> MessageDecoder::tool_result(const Value& message) {
  auto id = result_id(message);
  if (!id) return std::unexpected(std::move(id.error()));
  chat::ToolResult result;
  result.tool_use_id = *id;
  if (message["cache_control"].is_object()) {
    result.cache_control = message["cache_control"].json();
  }
  const Value body = message["content"];
  if (body.is_string()) {
    if (!body.text().empty()) result.content.emplace_back(chat::Text{body.text(), {}});
  } else if (body.is_array()) {
    for (Value part = body.first(); part; part = part.next()) {
      if (auto read = result_part(part, result); !read) return read;
    }
  } else if (!is_absent(body)) {
    return refuse_type(root_, body, kStringOrArray);
  }
  if (!gathering_) request_.messages.push_back({chat::Role::user, {}});
  gathering_ = true;
  request_.messages.back().content.emplace_back(std::move(result));
  return {};
}

Result<void> MessageDecoder::result_part(const Value& part, chat::ToolResult& result) {
  if (part["type"].equals("image_url")) {
    auto image = image_part(part);
    if (!image) return std::unexpected(std::move(image.error()));
    result.content.emplace_back(*image);
    return {};
  }
  auto text = text_part(part);
  if (!text) return std::unexpected(std::move(text.error()));
  if (!text->text.empty()) result.content.emplace_back(*text);
  return {};
}

Result<void> MessageDecoder::content(const Value& body, const Target& target) {
  if (is_absent(body)) return {};
  if (body.is_string()) {
    if (!body.text().empty()) target.blocks.emplace_back(chat::Text{body.text(), {}});
    return {};
  }
  if (!body.is_array()) return refuse_type(root_, body, kStringOrArray);
  for (Value element = body.first(); element; element = element.next()) {
    if (auto read = part(element, target); !read) return read;
  }
  return {};
}

Result<void> MessageDecoder::part(const Value& part, const Target& target) {
  if (part.is_string() || is_text_part(part)) {
    auto text = text_part(part);
    if (!text) return std::unexpected(std::move(text.error()));
    if (!text->text.empty()) target.blocks.emplace_back(*text);
    return {};
  }
  if (!part.is_object()) return refuse_type(root_, part, "an object");
  const Value type = part["type"];
  if (!type) return refuse_missing(root_, part, "type");
  if (!type.is_string()) return refuse_type(root_, type, "a string");
  if (type.equals("image_url")) {
    auto image = image_part(part);
    if (!image) return std::unexpected(std::move(image.error()));
    target.blocks.emplace_back(*image);
    return {};
  }
  if (target.refusals && type.equals("refusal") && part["refusal"].is_string()) {
    target.blocks.emplace_back(chat::Text{part["refusal"].text(), {}});
    return {};
  }
  // An answer's own thinking comes back here from some clients; no vendor wants a foreign one.
  if (target.refusals && (type.equals("thinking") || type.equals("reasoning"))) return {};
  const std::string_view name = request_.keep(type.text().utf8());
  only_here(name);
  target.blocks.emplace_back(chat::Opaque{name, part.json()});
  return {};
}

Result<chat::Text> MessageDecoder::text_part(const Value& part) const {
  if (part.is_string()) return chat::Text{part.text(), {}};
  if (!part.is_object()) return refuse_type(root_, part, "an object");
  if (!is_text_part(part)) {
    return refuse_type(root_, part["type"] ? part["type"] : part, "\"text\"");
  }
  const Value text = part["text"];
  if (!text) return refuse_missing(root_, part, "text");
  if (!text.is_string()) return refuse_type(root_, text, "a string");
  const Value mark = part["cache_control"];
  return chat::Text{text.text(), mark.is_object() ? mark.json() : JsonRaw{}};
}

Result<chat::Image> MessageDecoder::image_part(const Value& part) {
  const Value holder = part["image_url"];
  if (!holder) return refuse_missing(root_, part, "image_url");
  const Value url = holder.is_string() ? holder : holder["url"];
  if (!url.is_string() || url.text().empty()) {
    return refuse_type(root_, url ? url : holder, "a URL string");
  }
  chat::Image image;
  image.detail = holder["detail"].text();
  std::string_view text = url.text().escaped;
  // Some encoders write "\/": the base64 alphabet needs no escape, so keep the resolved form.
  if (!url.text().plain()) text = request_.keep(chat::escape(url.text().utf8()));
  if (const auto data = split_data_url(text)) {
    image.media_type = {data->first};
    image.base64 = {data->second};
  } else {
    image.url = {text};
  }
  return image;
}

}  // namespace

Result<void> decode_messages(const Value& root, chat::Request& request) {
  const Value messages = root["messages"];
  if (!messages) return refuse_missing(root, root, "messages");
  if (!messages.is_array()) return refuse_type(root, messages, "an array");
  if (messages.size() == 0) return refuse_type(root, messages, "at least one message");
  request.messages.reserve(messages.size());
  MessageDecoder decoder(root, request);
  for (Value message = messages.first(); message; message = message.next()) {
    if (auto read = decoder.message(message); !read) return read;
  }
  return {};
}

}  // namespace nl::dialect::openai_chat
