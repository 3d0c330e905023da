#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "chat/senses.h"
#include "dialect/anthropic.h"
#include "dialect/json_writer.h"
#include "dialect/openai_chat.h"
#include "dialect/tool_id.h"
#include "dialect/tool_name.h"
#include "dialect/turns.h"

namespace nl::dialect::openai_chat {
namespace {

using chat::JsonText;

// Blocks that have no form here go on as their JSON up to this size.
constexpr std::size_t kForeignBlockBytesMax = 2048;
constexpr std::string_view kBlankLine = "\\n\\n";
constexpr std::string_view kGoOn = "Go on exactly where you stopped.";
constexpr std::string_view kNoSound = "[audio left out: this model does not hear]";
constexpr std::string_view kNoImages = "[image left out: this model reads text only]";

// llama-server would fetch an address itself, and refuses what its decoder does not know.
bool readable_here(const chat::Image& image) {
  const std::string_view type = image.media_type.escaped;
  return !image.base64.empty() && (type == "image/png" || type == "image/jpeg" ||
                                   type == "image/gif" || type == "image/bmp");
}

bool is_base64(std::string_view text) {
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
  return !text.empty() && text.find_first_not_of(kLetters) == std::string_view::npos;
}

// Sound as bytes: of OpenAI's parts, and of blocks that say it as Anthropic says images.
struct Sound {
  std::string_view base64;
  std::string_view format;  // "wav" | "mp3"; empty = not to be read here
};

// Views point into the block.
Sound sound_of(const chat::Opaque& block) {
  Document document;
  if (!document.parse(block.json.json)) return {};
  const Value openai = document.root()["input_audio"];
  const Value anthropic = document.root()["source"];
  const Value data = openai ? openai["data"] : anthropic["data"];
  const Value kind = openai ? openai["format"] : anthropic["media_type"];
  Sound sound{data.text().escaped, {}};
  for (const char* name : {"wav", "audio/wav", "audio/x-wav"}) {
    if (kind.equals(name)) sound.format = "wav";
  }
  for (const char* name : {"mp3", "audio/mp3", "audio/mpeg"}) {
    if (kind.equals(name)) sound.format = "mp3";
  }
  // An address would be fetched, and the path of a file opened.
  if (!is_base64(sound.base64)) sound.format = {};
  return sound;
}

// Everything here is the inside of a JSON string, so notes must need no escape.
class MessageEncoder {
 public:
  MessageEncoder(const chat::Request& request, const EncodeOptions& options, std::string& out)
      : request_(request), options_(options), writer_(out) {}

  void run();

 private:
  // A piece of the user message being gathered.
  struct Part {
    std::string_view text;
    const chat::Image* image = nullptr;
    Sound sound;

    bool is_text() const { return image == nullptr && sound.base64.empty(); }
  };
  enum class Last : std::uint8_t { none, user, assistant, tool };

  void system();
  void user(const Turn& turn);
  void assistant(const Turn& turn);
  void user_block(const Item& item);
  void result(const chat::ToolResult& result);
  void missing_result(const chat::ToolUse& call);
  void orphan(const chat::ToolResult& result);
  void tool_message(JsonText id, std::string_view text);
  void tool_call(const chat::ToolUse& call);
  void image_part(const chat::Image& image);
  void sound_part(const Sound& sound);
  void flush_user();
  void write_content(const std::vector<Part>& parts);

  std::string_view result_text(const chat::ToolResult& result);
  std::string_view foreign(const chat::Opaque& block);
  void add(std::string_view text) {
    if (!text.empty()) parts_.push_back({text, nullptr, {}});
  }
  void add(const chat::Image& image);
  void add_foreign(const chat::Opaque& block);
  std::string_view keep(std::string text) { return kept_.emplace_back(std::move(text)); }

  const chat::Request& request_;
  const EncodeOptions& options_;
  JsonWriter writer_;
  std::vector<Part> parts_;
  std::deque<std::string> kept_;
  std::vector<const chat::ToolUse*> calls_;  // of the last assistant turn
  Last last_ = Last::none;
  bool asked_ = false;  // a user turn came since the last message written
};

void MessageEncoder::run() {
  writer_.begin_array();
  system();
  std::vector<Turn> turns = make_turns(request_);
  if (options_.purpose == Purpose::read_ahead) leave_calls_open(turns);
  for (const Turn& turn : turns) {
    turn.role == chat::Role::assistant ? assistant(turn) : user(turn);
  }
  flush_user();
  if (options_.purpose == Purpose::read_ahead) {
    writer_.end_array();
    return;
  }
  // A conversation whose last user turn came out empty must not end in the assistant's words, which
  // servers take as a beginning to go on from.
  if (last_ == Last::none || (asked_ && last_ == Last::assistant)) {
    writer_.begin_object().string("role", "user").string("content", "").end_object();
  } else if (last_ == Last::assistant && options_.server == Server::llama_server) {
    // This server would repeat the beginning in its answer.
    writer_.begin_object().string("role", "user").string("content", kGoOn).end_object();
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

void MessageEncoder::user(const Turn& turn) {
  asked_ = true;
  for (const Item& item : turn.items) user_block(item);
}

void MessageEncoder::user_block(const Item& item) {
  switch (item.kind) {
    case ItemKind::result:
      return result(std::get<chat::ToolResult>(*item.block));
    case ItemKind::missing_result:
      return missing_result(std::get<chat::ToolUse>(*item.block));
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
  if (const auto* image = std::get_if<chat::Image>(item.block)) return add(*image);
  if (const auto* block = std::get_if<chat::Opaque>(item.block)) return add_foreign(*block);
}

void MessageEncoder::add_foreign(const chat::Opaque& block) {
  if (!options_.sound || !chat::is_sound(block)) return add(foreign(block));
  const Sound sound = sound_of(block);
  if (sound.format.empty()) {
    return add("[audio left out: of a kind that the local model server does not read]");
  }
  parts_.push_back({{}, nullptr, sound});
}

void MessageEncoder::assistant(const Turn& turn) {
  std::string text;
  std::string thought;
  std::vector<const chat::ToolUse*>& calls = calls_;
  calls.clear();
  const chat::Block* before = nullptr;
  for (const Item& item : turn.items) {
    std::string_view piece;
    if (const auto* block = std::get_if<chat::Text>(item.block)) piece = block->text.escaped;
    if (const auto* block = std::get_if<chat::Opaque>(item.block)) piece = foreign(*block);
    if (const auto* call = std::get_if<chat::ToolUse>(item.block)) calls.push_back(call);
    if (const auto* block = std::get_if<chat::Thinking>(item.block)) thought += block->text.escaped;
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
  writer_.begin_object().string("role", "assistant").key("content");
  text.empty() ? writer_.null() : writer_.text({text});
  if (!calls.empty()) {
    // Templates of thinking models want the thought that led to a call.
    const bool wanted = options_.server == Server::llama_server && !thought.empty();
    if (wanted) writer_.text("reasoning_content", {thought});
    writer_.key("tool_calls").begin_array();
    for (const chat::ToolUse* call : calls) tool_call(*call);
    writer_.end_array();
  }
  writer_.end_object();
  last_ = Last::assistant;
  asked_ = false;
}

void MessageEncoder::tool_call(const chat::ToolUse& call) {
  writer_.begin_object().string("id", fit_tool_id(call.id)).string("type", "function");
  writer_.key("function").begin_object().string("name", fit_tool_name(call.name));
  writer_.string("arguments", repair_surrogates(arguments_object(call))).end_object();
  writer_.end_object();
}

void MessageEncoder::tool_message(JsonText id, std::string_view text) {
  writer_.begin_object().string("role", "tool").string("tool_call_id", fit_tool_id(id));
  if (options_.server == Server::llama_server) {
    // Templates name the tool in its result.
    for (const chat::ToolUse* call : calls_) {
      if (call->id.escaped != id.escaped) continue;
      writer_.string("name", fit_tool_name(call->name));
      break;
    }
  }
  writer_.text("content", {text}).end_object();
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
  bool named = false;
  for (const chat::ResultPart& part : result.content) {
    const auto* image = std::get_if<chat::Image>(&part);
    if (image == nullptr) continue;
    if (!named)
      add(keep(fmt::format("[image of tool result {}]", fit_tool_id(result.tool_use_id))));
    named = true;
    add(*image);
  }
}

void MessageEncoder::missing_result(const chat::ToolUse& call) {
  tool_message(call.id, keep(fmt::format("[tool error] {}", kNoResult)));
}

void MessageEncoder::orphan(const chat::ToolResult& result) {
  add(keep(fmt::format("<tool-result>\\n{}\\n</tool-result>", result_text(result))));
  for (const chat::ResultPart& part : result.content) {
    if (const auto* image = std::get_if<chat::Image>(&part); image && options_.images) add(*image);
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
  if (chat::is_sound(block)) return kNoSound;
  const std::string type = chat::escape(block.type);
  if (block.json.json.size() > kForeignBlockBytesMax) {
    return keep(fmt::format("[{} left out]", type));
  }
  return keep(fmt::format("[{}] {}", type, chat::escape(block.json.json)));
}

void MessageEncoder::add(const chat::Image& image) {
  if (!options_.images) return add(kNoImages);
  const std::string_view type = image.media_type.escaped;
  if (!type.empty() && !type.starts_with("image")) {
    return add(keep(fmt::format("[{} left out]", type)));
  }
  if (options_.server == Server::llama_server && !readable_here(image)) {
    return add("[image left out: of a kind that the local model server does not read]");
  }
  parts_.push_back({{}, &image, {}});
}

void MessageEncoder::image_part(const chat::Image& image) {
  writer_.begin_object().string("type", "image_url").key("image_url").begin_object();
  if (image.url.empty()) {
    writer_.text(
        "url",
        {keep(fmt::format("data:{};base64,{}", image.media_type.escaped, image.base64.escaped))});
  } else {
    writer_.text("url", image.url);
  }
  if (!image.detail.empty()) writer_.text("detail", image.detail);
  writer_.end_object().end_object();
}

void MessageEncoder::sound_part(const Sound& sound) {
  writer_.begin_object().string("type", "input_audio").key("input_audio").begin_object();
  writer_.text("data", {sound.base64}).string("format", sound.format);
  writer_.end_object().end_object();
}

void MessageEncoder::flush_user() {
  if (parts_.empty()) return;
  writer_.begin_object().string("role", "user").key("content");
  write_content(parts_);
  writer_.end_object();
  parts_.clear();
  last_ = Last::user;
}

// One string where it can be one: some servers know no other content.
void MessageEncoder::write_content(const std::vector<Part>& parts) {
  std::string text;
  if (!std::ranges::all_of(parts, &Part::is_text)) {
    writer_.begin_array();
    for (const Part& part : parts) {
      if (part.image != nullptr) {
        image_part(*part.image);
      } else if (!part.is_text()) {
        sound_part(part.sound);
      } else {
        writer_.begin_object().string("type", "text").text("text", {part.text}).end_object();
      }
    }
    writer_.end_array();
    return;
  }
  for (const Part& part : parts) {
    if (!text.empty()) text += kBlankLine;
    text += part.text;
  }
  writer_.text({text});
}

}  // namespace

void encode_messages(const chat::Request& request, const EncodeOptions& options, std::string& out) {
  MessageEncoder(request, options, out).run();
}

}  // namespace nl::dialect::openai_chat
