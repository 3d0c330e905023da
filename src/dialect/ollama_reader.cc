#include <fmt/format.h>

#include <list>
#include <string>
#include <string_view>
#include <utility>

#include "dialect/block_queue.h"
#include "dialect/ollama.h"

namespace nl::dialect {
namespace {

using chat::BlockKind;
using chat::EventKind;
using chat::StopReason;

bool is_absent(const Value& value) {
  return !value || value.is_null();
}

std::unexpected<Error> wrong(std::string_view where, std::string_view expected) {
  return fail(ErrorCode::protocol, fmt::format("{}: expected {}", where, expected));
}

// An amount of tokens; a negative or broken one counts as not stated.
std::optional<std::int64_t> count(const Value& value) {
  const auto number = value.integer();
  return number && *number >= 0 ? number : std::nullopt;
}

// An `error` member that means one: null, false and "" do not.
bool is_error(const Value& error) {
  return error.is_object() || (error.is_string() && !error.text().empty());
}

// The HTTP status that `holder` states beside its error; 0 when it does not say.
int status_of(const Value& holder) {
  for (const std::string_view name : {"status", "status_code", "StatusCode"}) {
    const auto status = holder[name].integer();
    if (status && *status >= 400 && *status < 600) return static_cast<int>(*status);
  }
  return 0;
}

class OllamaReader final : public Reader {
 public:
  Result<void> frame(const SseFrame& frame, EventSink& sink) override;
  Result<void> whole(std::string_view body, EventSink& sink) override;
  bool finished() const override { return finished_; }
  // The last line says all: nothing is held back behind it.
  void end(EventSink&) override {}

 private:
  Result<void> line(const Value& root, EventSink& sink);
  Result<void> message(const Value& message, EventSink& sink);
  Result<void> text(BlockKind kind, const Value& text, EventSink& sink);
  Result<void> tool_calls(const Value& calls, EventSink& sink);
  Result<void> tool_call(const Value& call, EventSink& sink);
  Result<void> finish(const Value& root, EventSink& sink);
  void start(const Value& root, EventSink& sink);
  void error(const Value& root, EventSink& sink);

  BlockQueue blocks_;
  std::list<std::string> made_;  // argument texts of this line: escaped here
  std::int64_t calls_ = 0;
  bool started_ = false;
  bool said_ = false;  // this line made an event
  bool finished_ = false;
  bool failed_ = false;
};

Result<void> OllamaReader::frame(const SseFrame& frame, EventSink& sink) {
  blocks_.begin_frame();
  made_.clear();
  if (failed_ || finished_) return {};
  Document document;
  if (auto parsed = document.parse(frame.data); !parsed) {
    return fail(ErrorCode::protocol, "stream line: " + parsed.error().message);
  }
  const Value root = document.root();
  if (!root.is_object()) return wrong("stream line", "an object");
  if (is_error(root["error"])) {
    error(root, sink);
    return {};
  }
  return line(root, sink);
}

Result<void> OllamaReader::line(const Value& root, EventSink& sink) {
  said_ = false;
  const Value body = root["message"];
  if (!is_absent(body) && !body.is_object()) return wrong("message", "an object");
  const Value done = root["done"];
  if (!is_absent(done) && !done.is_bool()) return wrong("done", "a boolean");
  const bool last = done.boolean().value_or(false);
  // A line with neither is no part of an answer, such as the progress of a download.
  if (!started_ && (body.is_object() || last)) start(root, sink);
  if (body.is_object()) {
    if (auto read = message(body, sink); !read) return read;
  }
  if (last) return finish(root, sink);
  if (!said_) sink.on_event({});
  return {};
}

Result<void> OllamaReader::message(const Value& message, EventSink& sink) {
  if (auto read = text(BlockKind::thinking, message["thinking"], sink); !read) return read;
  if (auto read = text(BlockKind::text, message["content"], sink); !read) return read;
  return tool_calls(message["tool_calls"], sink);
}

Result<void> OllamaReader::text(BlockKind kind, const Value& text, EventSink& sink) {
  if (is_absent(text)) return {};
  if (!text.is_string()) {
    return wrong(kind == BlockKind::text ? "message.content" : "message.thinking", "a string");
  }
  said_ = said_ || !text.text().empty();
  return blocks_.text(kind, text.text(), sink);
}

Result<void> OllamaReader::tool_calls(const Value& calls, EventSink& sink) {
  if (is_absent(calls)) return {};
  if (!calls.is_array()) return wrong("message.tool_calls", "an array");
  for (Value call = calls.first(); call; call = call.next()) {
    if (auto read = tool_call(call, sink); !read) return read;
  }
  return {};
}

// A call comes whole, so each is one of its own whatever its id and index say.
Result<void> OllamaReader::tool_call(const Value& call, EventSink& sink) {
  const Value function = call["function"];
  if (!function.is_object()) return wrong("tool_calls[0].function", "an object");
  const Value name = function["name"];
  if (!name.is_string() || name.text().empty()) return wrong("function.name", "a name");
  const Value id = call["id"];
  if (!is_absent(id) && !id.is_string()) return wrong("tool_calls[0].id", "a string");
  CallPiece piece;
  piece.index = calls_++;
  piece.id = id.text();
  piece.name = name.text();
  const Value arguments = function["arguments"];
  if (arguments.is_object()) {
    piece.arguments = {made_.emplace_back(chat::escape(arguments.raw()))};
  } else if (arguments.is_string()) {
    piece.arguments = arguments.text();
  } else if (!is_absent(arguments)) {
    return wrong("function.arguments", "an object");
  }
  if (piece.arguments.empty()) piece.arguments = {"{}"};
  said_ = true;
  return blocks_.call(piece, sink);
}

void OllamaReader::start(const Value& root, EventSink& sink) {
  started_ = true;
  said_ = true;
  chat::Event event;
  event.kind = EventKind::start;
  event.name = root["model"].text();
  sink.on_event(event);
}

// The last line: the reason and the counts.
Result<void> OllamaReader::finish(const Value& root, EventSink& sink) {
  const Value reason = root["done_reason"];
  if (!is_absent(reason) && !reason.is_string()) return wrong("done_reason", "a string");
  if (auto closed = blocks_.close(sink); !closed) return closed;
  finished_ = true;
  chat::Event event;
  event.kind = EventKind::usage;
  event.usage.input = count(root["prompt_eval_count"]);
  event.usage.output = count(root["eval_count"]);
  if (event.usage.input || event.usage.output) sink.on_event(event);
  event.kind = EventKind::finish;
  // "stop" stands behind calls too. "load" and "unload" end an answer that is none: it is empty.
  event.stop = blocks_.has_calls() ? StopReason::tool_use : StopReason::end_turn;
  if (reason.equals("length")) event.stop = StopReason::max_tokens;
  sink.on_event(event);
  return {};
}

void OllamaReader::error(const Value& root, EventSink& sink) {
  failed_ = true;
  const UpstreamError said = ollama::error_stated(root);
  chat::Event event;
  event.kind = EventKind::error;
  event.error_type = said.type.empty() ? said.code : said.type;
  event.error_status = status_of(root);
  event.error_message = said.message.empty() ? "the upstream reports an error" : said.message;
  sink.on_event(event);
}

Result<void> OllamaReader::whole(std::string_view body, EventSink& sink) {
  Document document;
  if (auto parsed = document.parse(body); !parsed) {
    return fail(ErrorCode::not_an_answer, "the answer is no JSON: " + parsed.error().message);
  }
  const Value root = document.root();
  if (is_error(root["error"])) {
    return fail(ErrorCode::stream_error, ollama::error_stated(root).message, status_of(root));
  }
  const Value said = root["message"];
  if (!said.is_object()) return fail(ErrorCode::not_an_answer, "the answer has no message");
  if (!root["done"].boolean().value_or(true)) {
    return fail(ErrorCode::truncated, "the answer is not done");
  }
  if (said["content"].text().empty() && said["thinking"].text().empty() &&
      said["tool_calls"].size() == 0) {
    return fail(ErrorCode::empty_answer, "the answer is empty");
  }
  start(root, sink);
  if (auto read = message(said, sink); !read) return read;
  return finish(root, sink);
}

}  // namespace

bool ollama::is_last_line(std::string_view line) {
  Document document;
  return document.parse(line) && document.root()["done"].boolean().value_or(false);
}

std::unique_ptr<Reader> Ollama::make_reader() const {
  return std::make_unique<OllamaReader>();
}

}  // namespace nl::dialect
