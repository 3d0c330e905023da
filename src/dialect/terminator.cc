#include "dialect/dialect.h"
#include "dialect/ollama.h"

namespace nl::dialect {

Framing Dialect::framing() const {
  switch (id()) {
    case DialectId::anthropic:
    case DialectId::openai_chat:
      return Framing::sse;
    case DialectId::ollama:
      return Framing::ndjson;
  }
  return Framing::sse;
}

bool Dialect::closes_answer(const SseFrame& frame) const {
  switch (id()) {
    case DialectId::anthropic:
      return frame.event == "message_stop";
    case DialectId::openai_chat:
      return frame.data == "[DONE]";
    case DialectId::ollama:
      return ollama::is_last_line(frame.data);
  }
  return false;
}

std::string_view Dialect::terminator() const {
  switch (id()) {
    case DialectId::anthropic:
      return "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
    case DialectId::openai_chat:
      return "data: [DONE]\n\n";
    // The last line carries the reason and the counts: there is no finish without it.
    case DialectId::ollama:
      return {};
  }
  return {};
}

}  // namespace nl::dialect
