#include "dialect/anthropic_blocks.h"

#include <fmt/format.h>

#include <cstddef>
#include <string>
#include <utility>

#include "dialect/json_path.h"

namespace nl::dialect::anthropic {
namespace {

// A part of a tool result that only this vendor knows travels on as its own JSON up to this size.
constexpr std::size_t kForeignPartBytesMax = 8 * 1024;

template <typename T>
Result<chat::Block> as_block(Result<T> made) {
  if (!made) return std::unexpected(made.error());
  return chat::Block(std::move(*made));
}

}  // namespace

Result<chat::Block> BlockDecoder::block(const Value& value) {
  if (!value.is_object()) return refuse_type(root_, value, "a content block");
  const Value type = value["type"];
  if (!type) return refuse_missing(root_, value, "type");
  if (!type.is_string()) return refuse_type(root_, type, "a string");
  if (type.equals("text")) return as_block(text_block(value));
  if (type.equals("image")) return image_block(value);
  if (type.equals("tool_use")) return tool_use(value);
  if (type.equals("tool_result")) return tool_result(value);
  if (type.equals("thinking") || type.equals("redacted_thinking")) return thinking(value);
  return chat::Block(chat::Opaque{type.text().escaped, value.json()});
}

Result<chat::JsonText> BlockDecoder::required_string(const Value& object, std::string_view name) {
  const Value member = object[name];
  if (!member) return refuse_missing(root_, object, name);
  if (!member.is_string()) return refuse_type(root_, member, "a string");
  return member.text();
}

chat::JsonRaw BlockDecoder::cache_control(const Value& value) {
  const Value mark = value["cache_control"];
  return mark.is_object() ? mark.json() : chat::JsonRaw{};
}

Result<chat::Text> BlockDecoder::text_block(const Value& value) {
  const auto text = required_string(value, "text");
  if (!text) return std::unexpected(text.error());
  return chat::Text{*text, cache_control(value)};
}

// An image by a reference that only this vendor can follow (a file id) stays opaque.
Result<chat::Block> BlockDecoder::image_block(const Value& value) {
  auto image = image_source(value);
  if (!image) return std::unexpected(image.error());
  if (*image) return chat::Block(**image);
  return chat::Block(chat::Opaque{"image", value.json()});
}

Result<std::optional<chat::Image>> BlockDecoder::image_source(const Value& value) {
  const Value source = value["source"];
  if (!source) return refuse_missing(root_, value, "source");
  if (!source.is_object()) return refuse_type(root_, source, "an object");
  chat::Image image;
  if (source["type"].equals("base64")) {
    const auto media_type = required_string(source, "media_type");
    if (!media_type) return std::unexpected(media_type.error());
    const auto data = required_string(source, "data");
    if (!data) return std::unexpected(data.error());
    image.media_type = *media_type;
    image.base64 = *data;
    return image;
  }
  if (!source["type"].equals("url")) return std::optional<chat::Image>();
  const auto url = required_string(source, "url");
  if (!url) return std::unexpected(url.error());
  image.url = *url;
  return image;
}

Result<chat::Block> BlockDecoder::tool_use(const Value& value) {
  chat::ToolUse call;
  const auto id = required_string(value, "id");
  if (!id) return std::unexpected(id.error());
  const auto name = required_string(value, "name");
  if (!name) return std::unexpected(name.error());
  const Value input = value["input"];
  if (!input) return refuse_missing(root_, value, "input");
  if (!input.is_object()) return refuse_type(root_, input, "an object");
  call.id = *id;
  call.name = *name;
  call.input = input.json();
  call.cache_control = cache_control(value);
  return chat::Block(call);
}

Result<chat::Block> BlockDecoder::tool_result(const Value& value) {
  chat::ToolResult result;
  const auto id = required_string(value, "tool_use_id");
  if (!id) return std::unexpected(id.error());
  result.tool_use_id = *id;
  result.cache_control = cache_control(value);
  const Value is_error = value["is_error"];
  if (is_error && !is_error.is_null()) {
    if (!is_error.is_bool()) return refuse_type(root_, is_error, "true or false");
    result.is_error = *is_error.boolean();
  }
  const Value content = value["content"];
  if (content.is_string()) {
    result.content.emplace_back(chat::Text{content.text(), {}});
  } else if (content.is_array()) {
    for (Value part = content.first(); part; part = part.next()) {
      auto read = result_part(part);
      if (!read) return std::unexpected(read.error());
      result.content.push_back(*read);
    }
  } else if (content && !content.is_null()) {
    return refuse_type(root_, content, "a string or an array of blocks");
  }
  return chat::Block(std::move(result));
}

Result<chat::ResultPart> BlockDecoder::result_part(const Value& value) {
  if (!value.is_object()) return refuse_type(root_, value, "a content block");
  if (value["type"].equals("text")) {
    const auto text = text_block(value);
    if (!text) return std::unexpected(text.error());
    return chat::ResultPart(*text);
  }
  if (value["type"].equals("image")) {
    auto image = image_source(value);
    if (!image) return std::unexpected(image.error());
    if (*image) return chat::ResultPart(**image);
  }
  return chat::ResultPart(foreign_part(value));
}

chat::Text BlockDecoder::foreign_part(const Value& value) {
  std::string note = value.raw().size() <= kForeignPartBytesMax
                         ? chat::escape(value.raw())
                         : fmt::format("[{} left out]", value["type"].text().escaped);
  return {chat::JsonText{request_.keep(std::move(note))}, {}};
}

Result<chat::Block> BlockDecoder::thinking(const Value& value) {
  chat::Thinking thought;
  for (const auto& [name, into] :
       {std::pair{"thinking", &thought.text}, std::pair{"signature", &thought.signature},
        std::pair{"data", &thought.redacted}}) {
    const Value member = value[name];
    if (member && !member.is_null() && !member.is_string()) {
      return refuse_type(root_, member, "a string");
    }
    *into = member.text();
  }
  return chat::Block(thought);
}

}  // namespace nl::dialect::anthropic
