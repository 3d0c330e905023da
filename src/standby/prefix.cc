#include "standby/prefix.h"

#include <functional>

namespace nl::standby {

void Prefix::mix(std::string_view bytes) {
  value = (value ^ std::hash<std::string_view>()(bytes)) * 0x9e3779b97f4a7c15ull + 1;
}

// One text has several spellings where characters are escaped that need not be.
void Prefix::mix(const chat::JsonText& text) {
  const std::string_view escaped = text.escaped;
  const bool plain = escaped.find("\\u") == escaped.npos && escaped.find("\\/") == escaped.npos;
  if (plain) return mix(escaped);
  mix(chat::escape(text.utf8()));
}

void Prefix::take(const chat::Message& message) {
  mix(std::string_view(&"sua"[static_cast<std::size_t>(message.role)], 1));
  for (const chat::Block& block : message.content) std::visit(*this, block);
}

void Prefix::operator()(const chat::Text& text) {
  mix(text.text);
}

void Prefix::operator()(const chat::Image& image) {
  mix(image.base64.escaped);
  mix(image.url.escaped);
}

// By the id alone: arguments come in pieces, and go back as a value laid out anew.
void Prefix::operator()(const chat::ToolUse& call) {
  mix(call.id);
  mix(call.name);
}

void Prefix::operator()(const chat::ToolResult& result) {
  mix(result.tool_use_id);
  for (const chat::ResultPart& part : result.content) std::visit(*this, part);
}

void Prefix::operator()(const chat::Thinking& thinking) {
  mix(thinking.text);
}

void Prefix::operator()(const chat::Opaque& opaque) {
  mix(opaque.json.json);
}

}  // namespace nl::standby
