// OpenAiChat: the Chat Completions dialect, as OpenAI, OpenRouter, Ollama, llama.cpp, vLLM speak
// it.
//
// Requests are read with an open schema (what one vendor adds is ignored or named in
// Request::only_this_dialect) and written to the strictest rules known, so that any compatible
// server takes them. Stateless: the functions below are pure and any thread may call them; a reader
// or writer belongs to one answer.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dialect/dialect.h"
#include "dialect/json_writer.h"

namespace nl::dialect {

class OpenAiChat final : public Dialect {
 public:
  DialectId id() const override { return DialectId::openai_chat; }
  Result<chat::Request> decode_request(const Document& document) const override;
  Result<std::string> encode_request(const chat::Request& request,
                                     const EncodeOptions& options) const override;
  std::string splice(const Document& document, const SpliceOptions& options) const override;
  std::unique_ptr<Reader> make_reader() const override;
  std::unique_ptr<Writer> make_writer(AnswerContext context) const override;
  std::string error_body(const Error& error, std::string_view request_id) const override;
  UpstreamError read_error(int status, std::string_view body) const override;
  void append_renamed(const SseFrame& frame, const Renaming& names,
                      std::string& out) const override;
  bool opens_answer(const SseFrame& frame) const override;
};

namespace openai_chat {

// The `messages` member: fills system, messages and, where a part is this dialect's alone,
// only_this_dialect. `root` is the body; errors name the path from there.
Result<void> decode_messages(const Value& root, chat::Request& request);

// Appends the `messages` array for `request`: one leading system message, then per turn the
// assistant message, the results of its calls in call order, and one user message with the rest.
void encode_messages(const chat::Request& request, const EncodeOptions& options, std::string& out);

// The whole body for llama-server (Server::llama_server): an allow-list of members, each written by
// us, none copied from the client's by its name.
void encode_for_llama_server(const chat::Request& request, const EncodeOptions& options,
                             std::string& out);

// Parts of a body. The function tools whose names `allowed` lists, all when it is empty; one
// element of `tools`; the member `response_format`, nothing for text.
std::vector<const chat::Tool*> declared_tools(const chat::Request& request,
                                              const std::vector<std::string>& allowed);
void encode_function(const chat::Tool& tool, Server server, JsonWriter& writer);
void encode_format(const chat::ResponseFormat& format, JsonWriter& writer);

// The inside of the `error` object: `"message":...,"type":...,"param":null,"code":...`.
std::string error_members(const Error& error);

// What `object` says of an error: its member `error`, or itself, in any server's shape.
UpstreamError error_stated(const Value& object);

}  // namespace openai_chat
}  // namespace nl::dialect
