// Dialect: one vendor's wire format, both ways, as four functions and an error body.
//
// decode_request and encode_request translate bodies; a Reader turns an upstream's answer into
// chat::Events; a Writer turns chat::Events into the client's bytes. Readers and writers each have
// a stream and a whole mode. No I/O, no clock, no routing: machines and pure functions only. A
// Dialect is stateless and any thread may use it; a Reader or Writer belongs to one answer.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "chat/event.h"
#include "chat/request.h"
#include "dialect/framer.h"
#include "dialect/json.h"
#include "dialect/sse.h"

namespace nl::dialect {

enum class DialectId : std::uint8_t { anthropic, openai_chat, ollama };

// "anthropic" | "openai-chat" | "ollama", as configuration and ledger spell them.
const char* name(DialectId id);
std::optional<DialectId> dialect_by_name(std::string_view name);

// Takes the events of one frame, in order.
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void on_event(const chat::Event& event) = 0;
};

// An upstream's answer -> events. Fed one frame at a time (stream) or the whole body (whole).
class Reader {
 public:
  virtual ~Reader() = default;
  // One frame, cut as the dialect's framing() says. Fails with ErrorCode::protocol when it is not
  // what the dialect allows (invalid JSON, wrong types, events out of order). An error event is not
  // a failure of the call: it arrives as EventKind::error.
  virtual Result<void> frame(const SseFrame& frame, EventSink& sink) = 0;
  // A whole body of a 2xx. Emits the same events a stream would have; fails with
  // ErrorCode::not_an_answer, protocol, stream_error (an error object in a 200) or empty_answer.
  virtual Result<void> whole(std::string_view body, EventSink& sink) = 0;
  // True once the terminal sequence was read: a stream that ends before this is truncated.
  // Events that a dialect can only know at its end (finish) are emitted no later than this.
  virtual bool finished() const = 0;
  // The stream ended. Emits what was held back for the end, if the answer is complete without a
  // further frame (a Chat stream whose finish_reason came but not [DONE]); else does nothing.
  virtual void end(EventSink& sink) = 0;
};

// What a writer must know of the request it answers.
struct AnswerContext {
  std::string model;         // the name the client asked for, unescaped; echoed in the answer
  std::string id;            // id for an answer we begin ourselves
  std::int64_t created = 0;  // epoch seconds, for dialects that state it
  bool include_usage = false;
  std::int64_t input_estimate = 0;  // tokens, for dialects that state input before it is known
};

// Events -> the client's bytes.
class Writer {
 public:
  virtual ~Writer() = default;
  // Stream mode: appends what `event` becomes. Before the first event the writer has begun nothing;
  // EventKind::start (or the first other event) opens the answer with context's id and model.
  virtual void event(const chat::Event& event, std::string& out) = 0;
  // Stream mode: the dialect's filler, opening the answer first when nothing was written yet.
  virtual void filler(std::string& out) = 0;
  // Stream mode: the dialect's in-stream error, as the last bytes of the answer.
  virtual void error(const Error& error, std::string& out) = 0;
  // Whole mode: the body of a 200 for the events seen by event() calls with a scratch `out`.
  // Call fold() for each event, then whole().
  virtual void fold(const chat::Event& event) = 0;
  virtual std::string whole() = 0;
};

// What an upstream's error body says; the input of the verdict table.
struct UpstreamError {
  std::string type;     // vendor's type: "rate_limit_error", "insufficient_quota", ...
  std::string code;     // vendor's code, or details.error_code
  std::string message;  // for people; bounded to 500 bytes
  std::string source;   // OpenRouter's metadata.limit_source
  std::optional<std::int64_t> resets_in_s;  // a reset stated in the body
  // Of a prompt that does not fit (llama-server): its tokens and those of the window.
  std::optional<std::int64_t> prompt_tokens;
  std::optional<std::int64_t> window_tokens;
};

// Which server a body is for, where it takes more than its dialect says. A body for llama_server
// holds an allow-list of members and is always a stream that tells how far the prompt is read.
enum class Server : std::uint8_t { any, llama_server };

// What a body is for: an answer, or that a server on this machine reads the conversation ahead of
// time. A body that reads ahead says the same things in the same bytes, ends where the conversation
// ends, and asks for as little of an answer as the server can be asked for.
enum class Purpose : std::uint8_t { answer, read_ahead };

struct EncodeOptions {
  std::string model;                           // the target's own model name
  std::optional<std::int64_t> max_tokens_cap;  // clamp
  bool drop_sampling = false;                  // target refuses temperature and the like
  bool reasoning = false;                      // target takes a reasoning setting
  bool images = true;                          // target takes images; else they become a note
  bool sound = false;                          // llama_server hears; else sound becomes a note
  bool max_completion_tokens = true;           // OpenAI's newer name; else max_tokens
  // The window: to ask for where the request states it (Ollama; unset = as much as it needs), to
  // keep the answer within (llama-server).
  std::optional<std::int64_t> context_tokens;
  Server server = Server::any;
  Purpose purpose = Purpose::answer;       // read_ahead: llama_server and Ollama alone
  std::vector<std::string> tools_allowed;  // empty = all; else only these names stay declared
  std::string extra_members;               // raw JSON members to add, e.g. OpenRouter's provider
};

// Whether marks that the client meant for its own vendor alone (the system block that begins
// `x-anthropic-billing-header`) stay in the body.
enum class ClientMarks : std::uint8_t { keep, remove };

// New names for an answer; an empty one keeps what is there.
struct Renaming {
  std::string id;
  std::string model;

  bool empty() const { return id.empty() && model.empty(); }
};

// Whether thinking that some vendor signed goes along. What we minted never does.
enum class SignedThinking : std::uint8_t { keep, remove };

struct SpliceOptions {
  std::string model;
  ClientMarks marks = ClientMarks::keep;
  std::string extra_members;  // raw JSON members to add at the end of the object
  SignedThinking thinking = SignedThinking::keep;
};

class Dialect {
 public:
  virtual ~Dialect() = default;
  virtual DialectId id() const = 0;
  // How its streams are cut into frames.
  Framing framing() const;

  // `document` holds the validated body. Fails with bad_request naming the JSON path. Views of the
  // result point into the document's text.
  virtual Result<chat::Request> decode_request(const Document& document) const = 0;

  // The body for a target of this dialect. Fails with ErrorCode::unsupported when the request has
  // no form here.
  virtual Result<std::string> encode_request(const chat::Request& request,
                                             const EncodeOptions& options) const = 0;

  // The parsed body with its model name replaced and otherwise byte for byte unchanged: the
  // pass-through lane.
  virtual std::string splice(const Document& document, const SpliceOptions& options) const = 0;

  virtual std::unique_ptr<Reader> make_reader() const = 0;
  virtual std::unique_ptr<Writer> make_writer(AnswerContext context) const = 0;

  // The body of an error answer in this dialect; `error.status` picks the vendor's type.
  virtual std::string error_body(const Error& error, std::string_view request_id) const = 0;
  // Reads an upstream's non-2xx body; never fails: what is not there stays empty.
  virtual UpstreamError read_error(int status, std::string_view body) const = 0;
  // `frame` with the names in it replaced wherever this dialect states them; appends to `out`. For
  // an answer that an early head opened under our id, or that another model than the asked one
  // gives.
  virtual void append_renamed(const SseFrame& frame, const Renaming& names,
                              std::string& out) const = 0;
  // True when `frame`'s events open the answer (message_start), so that it is dropped after an
  // early head.
  virtual bool opens_answer(const SseFrame& frame) const = 0;
  // True for the frame that ends the answer for good ([DONE], message_stop, done), and that frame's
  // bytes for an upstream that left it out; none where an answer without it is not whole.
  bool closes_answer(const SseFrame& frame) const;
  std::string_view terminator() const;
};

// The dialects, by id. They live as long as the program.
const Dialect& dialect(DialectId id);

// A rough token count of `request` for budgets and for message_start, never for limits:
// bytes / 3.6 of text and schemas, 1,600 per image.
std::int64_t estimate_tokens(const chat::Request& request);

}  // namespace nl::dialect
