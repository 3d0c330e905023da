#include "chat/kept_answer.h"

#include <utility>

namespace nl::chat {

void KeptAnswer::add(const Event& event) {
  switch (event.kind) {
    case EventKind::block_start:
      pieces_.push_back(
          {event.block, std::string(event.id.escaped), std::string(event.name.escaped), {}});
      return;
    case EventKind::delta:
      break;
    case EventKind::finish:
      finished_ = true;
      return;
    case EventKind::error:
      overflowed_ = true;
      return;
    case EventKind::start:
    case EventKind::block_stop:
    case EventKind::usage:
    case EventKind::ping:
    case EventKind::progress:
      return;
  }
  const bool wanted = event.delta == DeltaKind::text || event.delta == DeltaKind::thinking ||
                      event.delta == DeltaKind::arguments;
  if (!wanted || overflowed_ || pieces_.empty()) return;
  bytes_ += event.text.escaped.size();
  if (bytes_ > kBytesMax) {
    overflowed_ = true;
    pieces_.clear();
    return;
  }
  pieces_.back().text.append(event.text.escaped);
}

Message KeptAnswer::message() const {
  Message made;
  made.role = Role::assistant;
  for (const Piece& piece : pieces_) {
    switch (piece.kind) {
      case BlockKind::text:
        if (!piece.text.empty()) made.content.emplace_back(Text{{piece.text}, {}});
        break;
      case BlockKind::thinking:
        if (!piece.text.empty()) made.content.emplace_back(Thinking{{piece.text}, {}, {}});
        break;
      case BlockKind::tool: {
        ToolUse call;
        call.id = JsonText{piece.id};
        call.name = JsonText{piece.name};
        call.input_text = JsonText{piece.text};
        made.content.emplace_back(std::move(call));
        break;
      }
      case BlockKind::opaque:
        break;
    }
  }
  return made;
}

}  // namespace nl::chat
