// Prefix: a number that tells what a conversation begins with, message after message.
//
// What its client puts beside the words (cache marks, the spelling of escapes, of arguments) makes
// no difference: an answer as it came and as the client sends it back are the same. Values.
#pragma once

#include <cstdint>

#include "chat/request.h"

namespace nl::standby {

class Prefix {
 public:
  std::uint64_t value = 0x6e69676874ull;  // of no message yet

  void take(const chat::Message& message);

  void operator()(const chat::Text& text);
  void operator()(const chat::Image& image);
  void operator()(const chat::ToolUse& call);
  void operator()(const chat::ToolResult& result);
  void operator()(const chat::Thinking& thinking);
  void operator()(const chat::Opaque& opaque);

 private:
  void mix(std::string_view bytes);
  void mix(const chat::JsonText& text);
};

}  // namespace nl::standby
