#include "dialect/dialect.h"

namespace nl::dialect {

bool Dialect::closes_answer(const SseFrame& frame) const {
  switch (id()) {
    case DialectId::anthropic:
      return frame.event == "message_stop";
    case DialectId::openai_chat:
      return frame.data == "[DONE]";
  }
  return false;
}

std::string_view Dialect::terminator() const {
  switch (id()) {
    case DialectId::anthropic:
      return "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
    case DialectId::openai_chat:
      return "data: [DONE]\n\n";
  }
  return {};
}

}  // namespace nl::dialect
