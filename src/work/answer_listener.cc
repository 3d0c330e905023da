#include "work/answer_listener.h"

namespace nl::work {
namespace {

// The name of a stop reason as the dialect spells it.
const char* name_of(chat::StopReason reason) {
  switch (reason) {
    case chat::StopReason::none:
      return "none";
    case chat::StopReason::end_turn:
      return "end_turn";
    case chat::StopReason::tool_use:
      return "tool_use";
    case chat::StopReason::max_tokens:
      return "max_tokens";
    case chat::StopReason::stop_sequence:
      return "stop_sequence";
    case chat::StopReason::refusal:
      return "refusal";
    case chat::StopReason::pause:
      return "pause_turn";
    case chat::StopReason::error:
      return "error";
  }
  return "none";
}

}  // namespace

void AnswerListener::on_event(const chat::Event& event) {
  usage_.merge(event.usage);
  switch (event.kind) {
    case chat::EventKind::delta:
      if (event.delta == chat::DeltaKind::text) take(event.text.utf8());
      break;
    case chat::EventKind::finish:
      reply_.stop_reason = name_of(event.stop);
      break;
    case chat::EventKind::error:
      error_ = Error(ErrorCode::stream_error, event.error_message);
      break;
    case chat::EventKind::start:
    case chat::EventKind::block_start:
    case chat::EventKind::block_stop:
    case chat::EventKind::usage:
    case chat::EventKind::ping:
    case chat::EventKind::progress:
      break;
  }
}

void AnswerListener::take(const std::string& piece) {
  reply_.text += piece;
  if (on_text_ && !piece.empty()) on_text_(piece);
}

}  // namespace nl::work
