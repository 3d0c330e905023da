// Ollama: the native chat dialect, POST /api/chat, streamed as one JSON object per line.
//
// Preferred to that server's compatible routes because only here the window can be stated
// (options.num_ctx): without it a prompt is cut to a small default and nobody is told. Calls have
// no ids in older servers and their arguments are JSON objects; a tool choice has no form. Requests
// are read with an open schema and written to what the server's typed decoder takes. Stateless: any
// thread may call; a reader or writer belongs to one answer.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "dialect/dialect.h"

namespace nl::dialect {

class Ollama final : public Dialect {
 public:
  DialectId id() const override { return DialectId::ollama; }
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

namespace ollama {

// The window for a request when none is set: what it holds and asks for, a power of two within
// these bounds. The server loads the model anew when this changes, so a fixed one is better.
inline constexpr std::int64_t kContextTokensMin = 8192;
inline constexpr std::int64_t kContextTokensMax = 131072;
std::int64_t context_tokens(const chat::Request& request, const EncodeOptions& options);

// The `messages` member: fills system and messages. `root` is the body; errors name the path from
// there.
Result<void> decode_messages(const Value& root, chat::Request& request);

// Appends the `messages` array for `request`: one leading system message, then per turn the
// assistant message, the results of its calls in call order, and one user message with the rest.
void encode_messages(const chat::Request& request, const EncodeOptions& options, std::string& out);

// Appends `schema`, the parameters of a tool, in the part of JSON Schema that the server's decoder
// takes: it refuses a request over a member of another type than it expects.
void write_parameters(const Value& schema, std::string& out);

// What `object`, which has a member `error`, says of it.
UpstreamError error_stated(const Value& object);

// True for a line of an answer that says `done`.
bool is_last_line(std::string_view line);

}  // namespace ollama
}  // namespace nl::dialect
