#include "dialect/dialect.h"

#include <cstddef>
#include <variant>

#include "dialect/anthropic.h"
#include "dialect/ollama.h"
#include "dialect/openai_chat.h"

namespace nl::dialect {
namespace {

constexpr std::int64_t kTokensPerImage = 1600;

// Bytes of text in `parts` and tokens for what is no text.
struct Weight {
  std::size_t text_bytes = 0;
  std::int64_t images = 0;

  void operator()(const chat::Text& text) { text_bytes += text.text.escaped.size(); }
  void operator()(const chat::Image&) { ++images; }
  void operator()(const chat::ToolUse& call) {
    text_bytes +=
        call.name.escaped.size() + call.input.json.size() + call.input_text.escaped.size();
  }
  void operator()(const chat::ToolResult& result) {
    for (const chat::ResultPart& part : result.content) std::visit(*this, part);
  }
  void operator()(const chat::Thinking& thinking) { text_bytes += thinking.text.escaped.size(); }
  // A document is counted as an image: its size says little of its tokens.
  void operator()(const chat::Opaque&) { ++images; }

  std::int64_t tokens() const {
    return (static_cast<std::int64_t>(text_bytes) * 10 + 35) / 36 + images * kTokensPerImage;
  }
};

}  // namespace

const char* name(DialectId id) {
  switch (id) {
    case DialectId::anthropic:
      return "anthropic";
    case DialectId::openai_chat:
      return "openai-chat";
    case DialectId::ollama:
      return "ollama";
  }
  return "";
}

std::optional<DialectId> dialect_by_name(std::string_view name) {
  if (name == "anthropic") return DialectId::anthropic;
  if (name == "openai-chat") return DialectId::openai_chat;
  if (name == "ollama") return DialectId::ollama;
  return std::nullopt;
}

const Dialect& dialect(DialectId id) {
  static const Anthropic anthropic;
  static const OpenAiChat openai_chat;
  static const Ollama ollama;
  switch (id) {
    case DialectId::anthropic:
      return anthropic;
    case DialectId::openai_chat:
      return openai_chat;
    case DialectId::ollama:
      return ollama;
  }
  return anthropic;
}

std::int64_t estimate_tokens(const chat::Request& request) {
  Weight weight;
  for (const chat::Text& text : request.system) weight(text);
  for (const chat::Message& message : request.messages) {
    for (const chat::Block& block : message.content) std::visit(weight, block);
  }
  for (const chat::Tool& tool : request.tools) {
    weight.text_bytes += tool.name.escaped.size() + tool.description.escaped.size() +
                         tool.schema.json.size() + tool.vendor.json.size();
  }
  return weight.tokens();
}

}  // namespace nl::dialect
