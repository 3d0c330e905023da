#include "engine/gguf_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "engine/chat_template.h"

namespace nl::engine {
namespace {

constexpr std::uint64_t kAlignmentMax = 1 << 20;
constexpr std::size_t kArraysKept = 64;
constexpr std::uint64_t kTextKept = 512;
constexpr std::string_view kTemplate = "tokenizer.chat_template";
constexpr std::string_view kTokens = "tokenizer.ggml.tokens";

std::unexpected<Error> refuse(std::string text) {
  return fail(ErrorCode::config, std::move(text));
}

bool is_key(const std::string& key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return c > 0x20 && static_cast<unsigned char>(c) < 0x7f;
  });
}

// Named templates stand beside the main one, as tokenizer.chat_template.tool_use.
bool is_template(const std::string& key) {
  return key == kTemplate || key.starts_with(std::string(kTemplate) + ".");
}

}  // namespace

Result<void> GgufKeys::read(GgufReader& reader) {
  auto key = reader.string(kKeyBytesMax, "the name of a header entry");
  if (!key) return std::unexpected(std::move(key.error()));
  if (!is_key(*key)) return refuse("has a header entry whose name is empty or no plain text");
  if (!seen_.insert(*key).second) return refuse(fmt::format("has the header entry {} twice", *key));
  const auto type = reader.type();
  if (!type) return std::unexpected(type.error());
  if (*type == GgufType::array) return read_array(reader, *key);
  if (*type == GgufType::string) return read_text(reader, *key, *type);
  if (!is_whole(*type)) {
    const auto done = check_special(*key, *type, 0);
    return done ? reader.skip(bytes_of(*type), *key) : done;
  }
  const auto value = reader.whole(*type);
  if (!value) return std::unexpected(value.error());
  numbers_[*key] = *value;
  return check_special(*key, *type, *value);
}

// Keys whose type matters to the engine before anything else does.
Result<void> GgufKeys::check_special(const std::string& key, GgufType type, std::int64_t value) {
  const bool is_text = key == "general.architecture" || key == "tokenizer.ggml.model" ||
                       key == "general.name" || is_template(key);
  if (is_text && type != GgufType::string) return refuse(fmt::format("{} is no text", key));
  if (key != "general.alignment") return {};
  const auto alignment = static_cast<std::uint64_t>(value);
  if (type != GgufType::u32 || alignment > kAlignmentMax || !std::has_single_bit(alignment)) {
    return refuse("general.alignment is no power of two");
  }
  alignment_ = alignment;
  return {};
}

Result<void> GgufKeys::read_text(GgufReader& reader, const std::string& key, GgufType type) {
  const auto special = check_special(key, type, 0);
  if (!special) return special;
  if (is_template(key)) {
    const auto text = reader.string(kTemplateBytesMax, "a chat template");
    if (!text) return std::unexpected(text.error());
    has_template_ = has_template_ || (key == kTemplate && !text->empty());
    return text->empty() ? Result<void>() : check_chat_template(*text);
  }
  const bool kept = key == "general.architecture" || key == "general.type" ||
                    key == "general.name" || key == "tokenizer.ggml.model" ||
                    key == "clip.projector_type" || key == "clip.vision.projector_type";
  if (!kept) return reader.skip_string(key);
  auto text = reader.string(kTextKept, key);
  if (!text) return std::unexpected(std::move(text.error()));
  texts_[key] = std::move(*text);
  return {};
}

Result<void> GgufKeys::read_array(GgufReader& reader, const std::string& key) {
  const auto special = check_special(key, GgufType::array, 0);
  if (!special) return special;
  const auto type = reader.type();
  const auto count = type ? reader.u64() : Result<std::uint64_t>(std::unexpected(type.error()));
  if (!count) return std::unexpected(count.error());
  if (*type == GgufType::array) return refuse(fmt::format("{} is a list of lists", key));
  if (key == kTokens) vocabulary_ = *count;
  // Every string has a length of eight bytes at least.
  const std::uint64_t each = *type == GgufType::string ? 8 : bytes_of(*type);
  if (*count > reader.left() / each) {
    return refuse(fmt::format("is cut off or damaged: {} claims {} entries, {} bytes are left", key,
                              *count, reader.left()));
  }
  if (*type == GgufType::string) {
    for (std::uint64_t i = 0; i < *count; ++i) {
      const auto done = reader.skip_string(key);
      if (!done) return done;
    }
    return {};
  }
  const bool of_layers = is_whole(*type) && *count <= kBlocksMax && arrays_.size() < kArraysKept &&
                         key.find(".attention.") != std::string::npos;
  if (!of_layers) return reader.skip(*count * each, key);
  return keep_array(reader, key, ArrayShape{*type, *count});
}

Result<void> GgufKeys::keep_array(GgufReader& reader, const std::string& key, ArrayShape shape) {
  std::vector<std::int64_t>& values = arrays_[key];
  values.reserve(static_cast<std::size_t>(shape.count));
  for (std::uint64_t i = 0; i < shape.count; ++i) {
    const auto value = reader.whole(shape.type);
    if (!value) return std::unexpected(value.error());
    values.push_back(*value);
  }
  return {};
}

}  // namespace nl::engine
