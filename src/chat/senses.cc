#include "chat/senses.h"

#include <algorithm>

namespace nl::chat {
namespace {

int images_in(const Block& block) {
  if (std::holds_alternative<Image>(block)) return 1;
  const auto* result = std::get_if<ToolResult>(&block);
  if (result == nullptr) return 0;
  return static_cast<int>(std::ranges::count_if(
      result->content, [](const ResultPart& part) { return std::holds_alternative<Image>(part); }));
}

int sounds_in(const Block& block) {
  const auto* foreign = std::get_if<Opaque>(&block);
  return foreign != nullptr && is_sound(*foreign) ? 1 : 0;
}

template <typename Count>
int sum(const Request& request, Count count) {
  int all = 0;
  for (const Message& message : request.messages) {
    for (const Block& block : message.content) all += count(block);
  }
  return all;
}

}  // namespace

bool is_sound(const Opaque& block) {
  return block.type == "input_audio" || block.type == "audio";
}

int images_in(const Request& request) {
  return sum(request, [](const Block& block) { return images_in(block); });
}

int sounds_in(const Request& request) {
  return sum(request, [](const Block& block) { return sounds_in(block); });
}

}  // namespace nl::chat
