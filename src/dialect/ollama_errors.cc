#include <string>
#include <string_view>

#include "dialect/json_writer.h"
#include "dialect/ollama.h"
#include "dialect/openai_chat.h"

namespace nl::dialect {
namespace {

constexpr std::string_view kTooLong = "context length";

}  // namespace

// A string is all this dialect has. It may hold the whole error body of the engine behind the
// server, and what stands in front of it (a proxy, the compatible routes) answers in other shapes.
UpstreamError ollama::error_stated(const Value& object) {
  const std::string text = object["error"].text().utf8();
  Document inner;
  UpstreamError said = text.starts_with('{') && inner.parse(text)
                           ? openai_chat::error_stated(inner.root())
                           : openai_chat::error_stated(object);
  // The one error whose code decides what a client does next may come in words alone.
  const bool too_long = said.message.find(kTooLong) != std::string::npos;
  if (too_long && said.code.empty()) said.code = "context_length_exceeded";
  return said;
}

UpstreamError Ollama::read_error(int status, std::string_view body) const {
  Document document;
  if (document.parse(body) && document.root().is_object()) {
    return ollama::error_stated(document.root());
  }
  return dialect(DialectId::openai_chat).read_error(status, body);
}

// The request's id travels in a header: this body has no place for it.
std::string Ollama::error_body(const Error& error, std::string_view) const {
  std::string body;
  JsonWriter(body).begin_object().string("error", error.message).end_object();
  return body;
}

}  // namespace nl::dialect
