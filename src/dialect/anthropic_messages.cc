#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <variant>

#include "dialect/anthropic_encode.h"
#include "dialect/tool_id.h"

namespace nl::dialect::anthropic {
namespace {

using chat::Role;

// Stands where a conversation has no user turn to begin with.
constexpr std::string_view kOpening = "Continue.";

constexpr std::array<std::string_view, 4> kImageTypes = {"image/jpeg", "image/png", "image/gif",
                                                         "image/webp"};

// Blocks of this vendor that a request may carry; what other vendors call theirs it refuses.
bool is_ours(std::string_view type) {
  constexpr std::array<std::string_view, 6> kTypes = {
      "document", "search_result", "image", "server_tool_use", "container_upload", "mcp_tool_use"};
  return std::ranges::find(kTypes, type) != kTypes.end() || type.ends_with("_tool_result");
}

bool ends_in_escape(std::string_view escaped, std::string_view letters) {
  if (escaped.size() < 2 || letters.find(escaped.back()) == std::string_view::npos) return false;
  const std::size_t behind = escaped.size() - 1;
  const std::size_t last = escaped.find_last_not_of('\\', behind - 1);
  const std::size_t slashes = behind - (last == std::string_view::npos ? 0 : last + 1);
  return slashes % 2 == 1;
}

// `text` without white space at its end: the vendor refuses it in the answer's beginning.
chat::JsonText trim_end(chat::JsonText text) {
  while (true) {
    if (text.escaped.ends_with(' ')) {
      text.escaped.remove_suffix(1);
    } else if (ends_in_escape(text.escaped, "nrt")) {
      text.escaped.remove_suffix(2);
    } else {
      return text;
    }
  }
}

// "data:image/png;base64,AAAA" in its parts; anything else is left in `url`.
chat::Image split_data_url(const chat::Image& image) {
  const std::string_view url = image.url.escaped;
  constexpr std::string_view kScheme = "data:";
  constexpr std::string_view kBase64 = ";base64,";
  const auto comma = url.find(kBase64);
  if (!url.starts_with(kScheme) || comma == std::string_view::npos) return image;
  chat::Image split;
  split.media_type.escaped = url.substr(kScheme.size(), comma - kScheme.size());
  split.media_type.escaped = split.media_type.escaped.substr(0, split.media_type.escaped.find(';'));
  split.base64.escaped = url.substr(comma + kBase64.size());
  return split;
}

class MessageWriter {
 public:
  MessageWriter(JsonWriter& json, const EncodeOptions& options, CacheMarks& marks)
      : json_(json), options_(options), marks_(marks) {
    json_.begin_array();
  }

  void turn(const Turn& turn, bool last) {
    role_ = turn.role;
    trims_ = last && role_ == Role::assistant;
    for (const Item& item : turn.items) one_item(item);
  }

  void finish() {
    if (!open_) {
      role_ = Role::user;
      note(kOpening);
    }
    close();
    json_.end_array();
  }

 private:
  // Begins a message of the current role unless the one that is open has it. A turn of which
  // nothing is left therefore joins its neighbours.
  void open() {
    if (open_ && open_role_ == role_) return;
    if (!open_ && role_ == Role::assistant) {
      begin("user");
      append_text(json_, {chat::JsonText{kOpening}, {}}, marks_);
      open_ = true;
    }
    close();
    begin(role_ == Role::assistant ? "assistant" : "user");
    open_ = true;
    open_role_ = role_;
  }
  void begin(std::string_view role) {
    json_.begin_object().string("role", role).key("content").begin_array();
  }
  void close() {
    if (open_) json_.end_array().end_object();
  }

  void one_item(const Item& item) {
    switch (item.kind) {
      case ItemKind::block:
        std::visit([this](const auto& block) { write(block); }, *item.block);
        return;
      case ItemKind::result:
        result(std::get<chat::ToolResult>(*item.block));
        return;
      case ItemKind::missing_result:
        missing_result(std::get<chat::ToolUse>(*item.block));
        return;
      case ItemKind::orphan_result:
        orphan_result(std::get<chat::ToolResult>(*item.block));
        return;
      case ItemKind::system:
        system(*item.block);
        return;
    }
  }

  void write(const chat::Text& text) {
    chat::Text trimmed = text;
    if (trims_) trimmed.text = trim_end(text.text);
    if (is_blank(trimmed.text)) return;
    open();
    append_text(json_, trimmed, marks_);
  }

  void write(const chat::Image& image) {
    if (role_ == Role::assistant) {
      note("[image]");
      return;
    }
    open();
    append_image(image);
  }

  void write(const chat::ToolUse& call) {
    if (role_ != Role::assistant) {
      note(fmt::format("[tool call {} {}]", call.name.utf8(), arguments_object(call)));
      return;
    }
    open();
    json_.begin_object().string("type", "tool_use").string("id", fit_tool_id(call.id));
    json_.string("name", tool_name(call.name));
    json_.raw("input", {arguments_object(call)});
    json_.raw_unless_empty("cache_control", marks_.take(call.cache_control)).end_object();
  }

  void write(const chat::ToolResult& result) { orphan_result(result); }
  void write(const chat::Thinking&) {}

  void write(const chat::Opaque& block) {
    if (!is_ours(block.type)) {
      note(fmt::format("[{} left out]", chat::JsonText{block.type}.utf8()));
      return;
    }
    open();
    json_.raw(block.json);
  }

  void result(const chat::ToolResult& result) {
    open();
    json_.begin_object().string("type", "tool_result");
    json_.string("tool_use_id", fit_tool_id(result.tool_use_id)).key("content").begin_array();
    for (const chat::ResultPart& part : result.content) {
      if (const auto* text = std::get_if<chat::Text>(&part)) {
        if (!is_blank(text->text)) append_text(json_, *text, marks_);
      } else {
        append_image(std::get<chat::Image>(part));
      }
    }
    json_.end_array();
    if (result.is_error) json_.boolean("is_error", true);
    json_.raw_unless_empty("cache_control", marks_.take(result.cache_control)).end_object();
  }

  void missing_result(const chat::ToolUse& call) {
    open();
    json_.begin_object().string("type", "tool_result");
    json_.string("tool_use_id", fit_tool_id(call.id)).key("content").begin_array();
    append_text(json_, {chat::JsonText{kNoResult}, {}}, marks_);
    json_.end_array().boolean("is_error", true).end_object();
  }

  void orphan_result(const chat::ToolResult& result) {
    for (const chat::ResultPart& part : result.content) {
      if (const auto* text = std::get_if<chat::Text>(&part)) {
        tagged("tool-result", text->text);
      } else {
        write(std::get<chat::Image>(part));
      }
    }
  }

  // Older models refuse the role inside a conversation; moving the text to the front would change
  // its meaning and the cached prefix.
  void system(const chat::Block& block) {
    if (const auto* text = std::get_if<chat::Text>(&block)) {
      tagged("system-reminder", text->text);
    } else {
      std::visit([this](const auto& other) { write(other); }, block);
    }
  }

  void tagged(std::string_view tag, chat::JsonText text) {
    if (is_blank(text)) return;
    open();
    const std::string inside = fmt::format("<{}>\\n{}\\n</{}>", tag, text.escaped, tag);
    append_text(json_, {chat::JsonText{inside}, {}}, marks_);
  }

  void note(std::string_view utf8) {
    open();
    json_.begin_object().string("type", "text").string("text", utf8).end_object();
  }

  // An image, or a note in its place, as an element of the open array.
  void append_image(const chat::Image& image) {
    const chat::Image source = split_data_url(image);
    std::string media_type = source.media_type.utf8();
    if (media_type == "image/jpg") media_type = "image/jpeg";
    const bool by_data = !source.base64.empty();
    const bool is_taken = by_data ? std::ranges::find(kImageTypes, media_type) != kImageTypes.end()
                                  : source.url.utf8().starts_with("http");
    if (!options_.images || !is_taken) {
      json_.begin_object().string("type", "text").string("text", "[image left out]").end_object();
      return;
    }
    json_.begin_object().string("type", "image").key("source").begin_object();
    if (by_data) {
      json_.string("type", "base64").string("media_type", media_type).text("data", source.base64);
    } else {
      json_.string("type", "url").text("url", source.url);
    }
    json_.end_object().end_object();
  }

  JsonWriter& json_;
  const EncodeOptions& options_;
  CacheMarks& marks_;
  Role role_ = Role::user;
  Role open_role_ = Role::user;
  bool open_ = false;
  bool trims_ = false;
};

}  // namespace

bool is_blank(chat::JsonText text) {
  std::string_view rest = text.escaped;
  while (!rest.empty()) {
    if (rest.front() == ' ') {
      rest.remove_prefix(1);
    } else if (rest.starts_with("\\n") || rest.starts_with("\\t") || rest.starts_with("\\r")) {
      rest.remove_prefix(2);
    } else {
      return false;
    }
  }
  return true;
}

void append_text(JsonWriter& json, const chat::Text& text, CacheMarks& marks) {
  json.begin_object().string("type", "text").text("text", text.text);
  json.raw_unless_empty("cache_control", marks.take(text.cache_control)).end_object();
}

void append_messages(JsonWriter& json, const std::vector<Turn>& turns, const EncodeOptions& options,
                     CacheMarks& marks) {
  MessageWriter writer(json, options, marks);
  for (const Turn& turn : turns) writer.turn(turn, &turn == &turns.back());
  writer.finish();
}

}  // namespace nl::dialect::anthropic
