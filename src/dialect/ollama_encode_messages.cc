#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dialect/anthropic.h"
#include "dialect/json_writer.h"
#include "dialect/ollama.h"
#include "dialect/tool_id.h"
#include "dialect/tool_name.h"
#include "dialect/turns.h"

namespace nl::dialect::ollama {
namespace {

using chat::JsonText;

// Blocks that have no form here go on as their JSON up to this size.
constexpr std::size_t kForeignBlockBytesMax = 2048;
constexpr std::string_view kBlankLine = "\\n\\n";
constexpr std::string_view kNoImages = "[image left out: this model reads text only]";
constexpr std::string_view kNoAddress = "[image left out: it was given by its address alone]";
constexpr std::string_view kBadImage = "[image left out: its data is damaged]";

bool is_base64_char(char byte) {
  return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
         (byte >= '0' && byte <= '9') || byte == '+' || byte == '/';
}

// The data as the server takes it: padded, nothing in between; it refuses the whole request over
// anything else. Nothing when it is no base64.
std::optional<std::string> strict_base64(JsonText data) {
  std::string kept = data.plain() ? std::string(data.escaped) : data.utf8();
  std::erase_if(kept, [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; });
  const std::size_t digits = std::min(kept.find('='), kept.size());
  if (digits == 0 || digits % 4 == 1 || kept.size() - digits > 2) return std::nullopt;
  if (!std::all_of(kept.begin(), kept.begin() + static_cast<std::ptrdiff_t>(digits),
                   is_base64_char)) {
    return std::nullopt;
  }
  if (kept.find_first_not_of('=', digits) != std::string::npos) return std::nullopt;
  kept.resize(digits);
  kept.append((4 - digits % 4) % 4, '=');
  return kept;
}

// Everything here is the inside of a JSON string, so notes must need no escape.
class MessageEncoder {
 public:
  MessageEncoder(const chat::Request& request, const EncodeOptions& options, std::string& out)
      : request_(request), options_(options), writer_(out) {}

  void run();

 private:
  enum class Last : std::uint8_t { none, user, assistant, tool };

  void system();
  void user_item(const Item& item);
  void assistant(const Turn& turn);
  void result(const chat::ToolResult& result);
  void orphan(const chat::ToolResult& result);
  void tool_message(JsonText id, std::string_view text);
  void tool_call(const chat::ToolUse& call);
  void image(const chat::Image& image);
  void result_images(const chat::ToolResult& result);
  void flush_user();

  std::string_view result_text(const chat::ToolResult& result);
  std::string_view foreign(const chat::Opaque& block);
  std::string name_of(JsonText id) const;
  void add(std::string_view text) {
    if (!text.empty()) parts_.push_back(text);
  }
  std::string_view keep(std::string text) { return kept_.emplace_back(std::move(text)); }

  const chat::Request& request_;
  const EncodeOptions& options_;
  JsonWriter writer_;
  // The user message being gathered. Images have no place within the text here.
  std::vector<std::string_view> parts_;
  std::vector<std::string> images_;
  std::vector<const chat::ToolUse*> calls_;  // of the last assistant message
  std::deque<std::string> kept_;
  Last last_ = Last::none;
  bool asked_ = false;  // a user turn came since the last message written
};

void MessageEncoder::run() {
  writer_.begin_array();
  system();
  std::vector<Turn> turns = make_turns(request_);
  if (options_.purpose == Purpose::read_ahead) leave_calls_open(turns);
  for (const Turn& turn : turns) {
    if (turn.role == chat::Role::assistant) {
      assistant(turn);
      continue;
    }
    asked_ = true;
    for (const Item& item : turn.items) user_item(item);
  }
  flush_user();
  if (options_.purpose == Purpose::read_ahead) {
    writer_.end_array();
    return;
  }
  // No messages at all would load the model and say nothing; a conversation that ends in the
  // assistant's words would go on from them.
  if (last_ == Last::none || (asked_ && last_ == Last::assistant)) {
    writer_.begin_object().string("role", "user").string("content", "").end_object();
  }
  writer_.end_array();
}

void MessageEncoder::system() {
  std::string text;
  const auto append = [&text](JsonText piece) {
    if (piece.empty()) return;
    if (!text.empty()) text += kBlankLine;
    text += piece.escaped;
  };
  for (const chat::Text& piece : request_.system) {
    // It is for its own vendor alone, and changes with every request: nothing behind it would be
    // found in a cache.
    if (!piece.text.escaped.starts_with(anthropic::kBillingMark)) append(piece.text);
  }
  for (std::size_t at = 0; at < leading_system_messages(request_); ++at) {
    for (const chat::Block& block : request_.messages[at].content) {
      if (const auto* piece = std::get_if<chat::Text>(&block)) append(piece->text);
    }
  }
  if (text.empty()) return;
  writer_.begin_object().string("role", "system").text("content", {text}).end_object();
}

void MessageEncoder::user_item(const Item& item) {
  switch (item.kind) {
    case ItemKind::result:
      return result(std::get<chat::ToolResult>(*item.block));
    case ItemKind::missing_result:
      return tool_message(std::get<chat::ToolUse>(*item.block).id,
                          keep(fmt::format("[tool error] {}", kNoResult)));
    case ItemKind::orphan_result:
      return orphan(std::get<chat::ToolResult>(*item.block));
    case ItemKind::system:
      if (const auto* text = std::get_if<chat::Text>(item.block); text && !text->text.empty()) {
        add(keep(fmt::format("<system-reminder>\\n{}\\n</system-reminder>", text->text.escaped)));
      }
      return;
    case ItemKind::block:
      break;
  }
  if (const auto* text = std::get_if<chat::Text>(item.block)) return add(text->text.escaped);
  if (const auto* picture = std::get_if<chat::Image>(item.block)) return image(*picture);
  if (const auto* block = std::get_if<chat::Opaque>(item.block)) return add(foreign(*block));
}

void MessageEncoder::assistant(const Turn& turn) {
  std::string text;
  std::vector<const chat::ToolUse*> calls;
  const chat::Block* before = nullptr;
  for (const Item& item : turn.items) {
    std::string_view piece;
    if (const auto* block = std::get_if<chat::Text>(item.block)) piece = block->text.escaped;
    if (const auto* block = std::get_if<chat::Opaque>(item.block)) piece = foreign(*block);
    if (const auto* call = std::get_if<chat::ToolUse>(item.block)) calls.push_back(call);
    // Neighbouring text blocks are one text cut up (by citations); others stand apart.
    const bool joined = before != nullptr && std::holds_alternative<chat::Text>(*before) &&
                        std::holds_alternative<chat::Text>(*item.block);
    if (!piece.empty() && !text.empty() && !joined) text += kBlankLine;
    text += piece;
    before = item.block;
  }
  // Nothing left of the turn, such as thinking alone: the user's turns around it become one.
  if (text.empty() && calls.empty()) return;
  flush_user();
  writer_.begin_object().string("role", "assistant").text("content", {text});
  if (!calls.empty()) {
    writer_.key("tool_calls").begin_array();
    for (const chat::ToolUse* call : calls) tool_call(*call);
    writer_.end_array();
  }
  writer_.end_object();
  calls_ = std::move(calls);
  last_ = Last::assistant;
  asked_ = false;
}

void MessageEncoder::tool_call(const chat::ToolUse& call) {
  writer_.begin_object().string("id", fit_tool_id(call.id)).key("function").begin_object();
  writer_.string("name", fit_tool_name(call.name));
  writer_.raw("arguments", {arguments_object(call)}).end_object().end_object();
}

// The tool that the call `id` of the last assistant message names.
std::string MessageEncoder::name_of(JsonText id) const {
  const std::string wanted = fit_tool_id(id);
  const auto found = std::ranges::find_if(
      calls_, [&](const chat::ToolUse* call) { return fit_tool_id(call->id) == wanted; });
  return found == calls_.end() ? std::string() : fit_tool_name((*found)->name);
}

// Older servers and many templates know the result by the tool's name alone.
void MessageEncoder::tool_message(JsonText id, std::string_view text) {
  writer_.begin_object().string("role", "tool").text("content", {text});
  writer_.string("tool_name", name_of(id)).string("tool_call_id", fit_tool_id(id)).end_object();
  last_ = Last::tool;
}

std::string_view MessageEncoder::result_text(const chat::ToolResult& result) {
  std::string text = result.is_error ? "[tool error] " : "";
  const std::size_t prefix = text.size();
  bool has_image = false;
  for (const chat::ResultPart& part : result.content) {
    if (const auto* piece = std::get_if<chat::Text>(&part)) {
      if (text.size() > prefix && !piece->text.empty()) text += "\\n";
      text += piece->text.escaped;
    } else {
      has_image = true;
    }
  }
  if (has_image) {
    if (text.size() > prefix) text += "\\n";
    text += options_.images ? "[image: see the next user message]" : kNoImages;
  }
  // A model that sees nothing calls again.
  if (text.size() == prefix) text += "(no output)";
  return keep(std::move(text));
}

void MessageEncoder::result(const chat::ToolResult& result) {
  tool_message(result.tool_use_id, result_text(result));
  if (!options_.images) return;
  const bool has_image = std::ranges::any_of(result.content, [](const chat::ResultPart& part) {
    return std::holds_alternative<chat::Image>(part);
  });
  if (!has_image) return;
  add(keep(fmt::format("[image of tool result {}]", fit_tool_id(result.tool_use_id))));
  result_images(result);
}

void MessageEncoder::orphan(const chat::ToolResult& result) {
  add(keep(fmt::format("<tool-result>\\n{}\\n</tool-result>", result_text(result))));
  if (options_.images) result_images(result);
}

void MessageEncoder::result_images(const chat::ToolResult& result) {
  for (const chat::ResultPart& part : result.content) {
    if (const auto* picture = std::get_if<chat::Image>(&part)) image(*picture);
  }
}

// Documents that are text keep their text; anything else is named, so that the model knows.
std::string_view MessageEncoder::foreign(const chat::Opaque& block) {
  if (block.type == "document") {
    Document document;
    if (document.parse(block.json.json)) {
      const Value source = document.root()["source"];
      if (source["type"].equals("text") && !source["data"].text().empty()) {
        return source["data"].text().escaped;
      }
    }
  }
  const std::string type = chat::escape(block.type);
  if (block.json.json.size() > kForeignBlockBytesMax) {
    return keep(fmt::format("[{} left out]", type));
  }
  return keep(fmt::format("[{}] {}", type, chat::escape(block.json.json)));
}

void MessageEncoder::image(const chat::Image& image) {
  if (!options_.images) return add(kNoImages);
  const std::string_view type = image.media_type.escaped;
  if (!type.empty() && !type.starts_with("image")) {
    return add(keep(fmt::format("[{} left out]", type)));
  }
  // The server fetches nothing.
  if (image.base64.empty()) return add(kNoAddress);
  auto data = strict_base64(image.base64);
  if (!data) return add(kBadImage);
  images_.push_back(std::move(*data));
}

void MessageEncoder::flush_user() {
  if (parts_.empty() && images_.empty()) return;
  std::string text;
  for (const std::string_view part : parts_) {
    if (!text.empty()) text += kBlankLine;
    text += part;
  }
  writer_.begin_object().string("role", "user").text("content", {text});
  if (!images_.empty()) {
    writer_.key("images").begin_array();
    for (const std::string& data : images_) writer_.text({data});
    writer_.end_array();
  }
  writer_.end_object();
  parts_.clear();
  images_.clear();
  last_ = Last::user;
}

}  // namespace

void encode_messages(const chat::Request& request, const EncodeOptions& options, std::string& out) {
  MessageEncoder(request, options, out).run();
}

}  // namespace nl::dialect::ollama
