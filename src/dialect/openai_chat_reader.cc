#include <fmt/format.h>

#include <list>
#include <string>
#include <string_view>
#include <utility>

#include "dialect/block_queue.h"
#include "dialect/chunk_shape.h"
#include "dialect/openai_chat.h"
#include "dialect/openai_chat_facts.h"
#include "dialect/openai_chat_parts.h"

namespace nl::dialect {
namespace {

using chat::BlockKind;
using chat::EventKind;
using chat::StopReason;
using openai_chat::Choice;
using openai_chat::error_status;
using openai_chat::Message;
using openai_chat::Root;

constexpr std::int64_t kCallIndexMax = 4096;

bool is_absent(const Value& value) {
  return !value || value.is_null();
}

std::unexpected<Error> wrong(std::string_view where, std::string_view expected) {
  return fail(ErrorCode::protocol, fmt::format("{}: expected {}", where, expected));
}

class ChatReader final : public Reader {
 public:
  Result<void> frame(const SseFrame& frame, EventSink& sink) override;
  Result<void> whole(std::string_view body, EventSink& sink) override;
  bool finished() const override { return stop_ != StopReason::none && !failed_; }
  void end(EventSink& sink) override { finish(sink); }

 private:
  Result<void> parsed(const SseFrame& frame, EventSink& sink);
  Result<void> chunk(const Root& root, EventSink& sink);
  Result<void> choice(const Choice& choice, const Value& delta, EventSink& sink);
  Result<void> message(const Message& message, EventSink& sink);
  Result<void> content(const Value& content, EventSink& sink);
  Result<void> content_part(const Value& part, EventSink& sink);
  Result<void> tool_calls(const Value& calls, EventSink& sink);
  Result<void> tool_call(const Value& call, EventSink& sink);
  Result<void> arguments(const Value& function, CallPiece& piece);
  void start(const Root& root, EventSink& sink);
  void usage(const chat::Usage& counts, EventSink& sink);
  void error(const Value& holder, EventSink& sink);
  void error(std::string_view type, std::string message, EventSink& sink);
  void finish(EventSink& sink);

  BlockQueue blocks_;
  ChunkShape shape_;  // of the chunk before, if it did nothing but add words of `shape_kind_`
  BlockKind shape_kind_ = BlockKind::text;
  std::list<std::string> made_;  // argument texts of this frame that had to be escaped
  chat::Usage usage_;
  StopReason stop_ = StopReason::none;
  bool refused_ = false;
  bool started_ = false;
  bool said_ = false;    // this chunk made an event
  bool called_ = false;  // it holds a piece of a call, which may wait without an event
  bool finish_sent_ = false;
  bool failed_ = false;
};

// An `error` member that means one: null, false and "" do not.
bool is_error(const Value& error) {
  return error.is_object() || (error.is_string() && !error.text().empty());
}

Result<void> ChatReader::frame(const SseFrame& frame, EventSink& sink) {
  blocks_.begin_frame();
  made_.clear();
  if (frame.kind == FrameKind::comment) {
    sink.on_event({});
    return {};
  }
  if (failed_ || finish_sent_) return {};
  if (frame.data == "[DONE]") {
    finish(sink);
    return {};
  }
  if (frame.event.empty()) {
    if (const auto words = shape_.words_of(frame.data)) {
      return blocks_.text(shape_kind_, {*words}, sink);
    }
  }
  called_ = false;
  OnlyWords watched(sink);
  auto read = parsed(frame, watched);
  const bool more = !read || called_ || stop_ != StopReason::none;
  if (frame.event.empty() && !more && watched.words_in(frame.data)) {
    shape_.remember(frame.data, watched.words());
    shape_kind_ = watched.kind();
  } else {
    shape_.forget();
  }
  return read;
}

Result<void> ChatReader::parsed(const SseFrame& frame, EventSink& sink) {
  Document document;
  if (auto json = document.parse(frame.data); !json) {
    return fail(ErrorCode::protocol, "stream chunk: " + json.error().message);
  }
  if (!document.root().is_object()) return wrong("stream chunk", "an object");
  const Root root(document.root());
  if (is_error(root.error) || frame.event == "error" || root.object.equals("error")) {
    error(root.whole, sink);
    return {};
  }
  return chunk(root, sink);
}

Result<void> ChatReader::chunk(const Root& root, EventSink& sink) {
  said_ = false;
  if (!is_absent(root.choices) && !root.choices.is_array()) return wrong("choices", "an array");
  if (!is_absent(root.counts) && !root.counts.is_object()) return wrong("usage", "an object");
  if (!started_ && root.choices) start(root, sink);
  for (Value one = root.choices.first(); one; one = one.next()) {
    if (!one.is_object()) return wrong("choices[0]", "an object");
    const Choice parts(one);
    // Further choices exist only where the client asked this very vendor for them.
    if (parts.index.integer().value_or(0) != 0) continue;
    auto read = choice(parts, is_absent(parts.delta) ? parts.message : parts.delta, sink);
    if (!read) return read;
    if (failed_) return {};
  }
  if (root.counts.is_object()) {
    usage(openai_chat::read_usage(root.counts), sink);
    if (stop_ != StopReason::none) finish(sink);
  } else if (root.timings.is_object() && !usage_.output) {
    usage(openai_chat::read_timings(root.timings), sink);
  }
  if (root.progress.is_object()) {
    said_ = true;
    chat::Event event;
    event.kind = EventKind::progress;
    sink.on_event(event);
  }
  if (!said_) sink.on_event({});
  return {};
}

// `delta`: what the choice adds to the answer, or all of it.
Result<void> ChatReader::choice(const Choice& choice, const Value& delta, EventSink& sink) {
  if (!is_absent(delta)) {
    if (!delta.is_object()) return wrong("choices[0].delta", "an object");
    if (auto read = message(Message(delta), sink); !read) return read;
  }
  if (is_error(choice.error)) {
    error(choice.whole, sink);
    return {};
  }
  const Value& reason = choice.reason;
  if (is_absent(reason) || (reason.is_string() && reason.text().empty())) return {};
  if (!reason.is_string()) return wrong("choices[0].finish_reason", "a string");
  const StopReason stop = openai_chat::stop_of(reason);
  if (stop == StopReason::error) {
    error("error", "the upstream ended with finish_reason \"error\"", sink);
    return {};
  }
  if (auto closed = blocks_.close(sink); !closed) return closed;
  stop_ = stop;
  said_ = true;
  return {};
}

Result<void> ChatReader::message(const Message& message, EventSink& sink) {
  const Value& thought = is_absent(message.thought) ? message.reasoning : message.thought;
  if (thought.is_string() && !thought.text().empty()) {
    said_ = true;
    if (auto read = blocks_.text(BlockKind::thinking, thought.text(), sink); !read) return read;
  }
  if (auto read = content(message.text, sink); !read) return read;
  const Value& refusal = message.refusal;
  if (refusal.is_string() && !refusal.text().empty()) {
    refused_ = true;
    said_ = true;
    if (auto read = blocks_.text(BlockKind::text, refusal.text(), sink); !read) return read;
  } else if (!is_absent(refusal) && !refusal.is_string()) {
    return wrong("refusal", "a string");
  }
  if (auto read = tool_calls(message.calls, sink); !read) return read;
  const Value& legacy = message.legacy;
  if (is_absent(legacy)) return {};
  if (!legacy.is_object()) return wrong("function_call", "an object");
  said_ = called_ = true;
  CallPiece piece;
  piece.index = -1;
  piece.name = legacy["name"].text();
  if (auto read = arguments(legacy, piece); !read) return read;
  return blocks_.call(piece, sink);
}

Result<void> ChatReader::content(const Value& content, EventSink& sink) {
  if (content.is_string()) {
    said_ = said_ || !content.text().empty();
    return blocks_.text(BlockKind::text, content.text(), sink);
  }
  if (is_absent(content)) return {};
  if (!content.is_array()) return wrong("content", "a string");
  for (Value part = content.first(); part; part = part.next()) {
    if (auto read = content_part(part, sink); !read) return read;
  }
  return {};
}

// Parts as Mistral sends them: text, and thinking that holds parts of its own.
Result<void> ChatReader::content_part(const Value& part, EventSink& sink) {
  if (!part.is_object()) return wrong("content[0]", "an object");
  said_ = true;
  if (part["text"].is_string()) return blocks_.text(BlockKind::text, part["text"].text(), sink);
  const Value thinking = part["thinking"];
  for (Value inner = thinking.first(); inner; inner = inner.next()) {
    auto read = blocks_.text(BlockKind::thinking, inner["text"].text(), sink);
    if (!read) return read;
  }
  return blocks_.text(BlockKind::thinking, thinking.text(), sink);
}

Result<void> ChatReader::tool_calls(const Value& calls, EventSink& sink) {
  if (is_absent(calls)) return {};
  if (!calls.is_array()) return wrong("tool_calls", "an array");
  for (Value call = calls.first(); call; call = call.next()) {
    if (auto read = tool_call(call, sink); !read) return read;
  }
  return {};
}

Result<void> ChatReader::tool_call(const Value& call, EventSink& sink) {
  if (!call.is_object()) return wrong("tool_calls[0]", "an object");
  said_ = called_ = true;
  CallPiece piece;
  const Value index = call["index"];
  if (!is_absent(index)) {
    piece.index = index.integer();
    if (!piece.index || *piece.index < 0 || *piece.index > kCallIndexMax) {
      return wrong("tool_calls[0].index", "a small whole number");
    }
  }
  const Value id = call["id"];
  if (!is_absent(id) && !id.is_string()) return wrong("tool_calls[0].id", "a string");
  piece.id = id.text();
  const Value function = is_absent(call["function"]) ? call["custom"] : call["function"];
  if (!is_absent(function)) {
    if (!function.is_object()) return wrong("tool_calls[0].function", "an object");
    const Value name = function["name"];
    if (!is_absent(name) && !name.is_string()) return wrong("function.name", "a string");
    piece.name = name.text();
    if (auto read = arguments(function, piece); !read) return read;
  }
  return blocks_.call(piece, sink);
}

Result<void> ChatReader::arguments(const Value& function, CallPiece& piece) {
  Value arguments = function["arguments"];
  if (!arguments) arguments = function["input"];  // a free-text call
  if (arguments.is_object()) {
    piece.arguments = {made_.emplace_back(chat::escape(arguments.raw()))};
  } else if (arguments.is_string()) {
    piece.arguments = arguments.text();
  } else if (!is_absent(arguments)) {
    return wrong("function.arguments", "a string");
  }
  return {};
}

void ChatReader::start(const Root& root, EventSink& sink) {
  started_ = true;
  said_ = true;
  chat::Event event;
  event.kind = EventKind::start;
  event.id = root.id.text();
  event.name = root.model.text();
  sink.on_event(event);
}

void ChatReader::usage(const chat::Usage& counts, EventSink& sink) {
  said_ = true;
  usage_.merge(counts);
  chat::Event event;
  event.kind = EventKind::usage;
  event.usage = usage_;
  sink.on_event(event);
}

// `holder` has a member `error`, or is an error itself.
void ChatReader::error(const Value& holder, EventSink& sink) {
  const Value error = is_error(holder["error"]) ? holder["error"] : holder;
  failed_ = true;
  chat::Event event;
  event.kind = EventKind::error;
  const Value type = error["type"];
  const Value code = error["code"];
  event.error_type = type.is_string() ? type.text().escaped : code.text().escaped;
  if (event.error_type.empty() && code.is_number()) event.error_type = code.raw();
  event.error_status = error_status(error);
  event.error_message = openai_chat::error_stated(holder).message;
  if (event.error_message.empty()) event.error_message = "the upstream reports an error";
  sink.on_event(event);
}

void ChatReader::error(std::string_view type, std::string message, EventSink& sink) {
  failed_ = true;
  chat::Event event;
  event.kind = EventKind::error;
  event.error_type = type;
  event.error_message = std::move(message);
  sink.on_event(event);
}

// Held back until nothing can follow, so that the counts come first.
void ChatReader::finish(EventSink& sink) {
  if (stop_ == StopReason::none || finish_sent_ || failed_) return;
  if (!blocks_.close(sink)) {
    failed_ = true;
    return;
  }
  finish_sent_ = true;
  chat::Event event;
  event.kind = EventKind::finish;
  event.usage = usage_;
  // Servers say "stop" behind calls and "tool_calls" without any: what came decides.
  if (stop_ == StopReason::end_turn && blocks_.has_calls()) stop_ = StopReason::tool_use;
  if (stop_ == StopReason::tool_use && !blocks_.has_calls()) stop_ = StopReason::end_turn;
  event.stop = refused_ && stop_ == StopReason::end_turn ? StopReason::refusal : stop_;
  sink.on_event(event);
}

Result<void> ChatReader::whole(std::string_view body, EventSink& sink) {
  Document document;
  if (auto parsed = document.parse(body); !parsed) {
    return fail(ErrorCode::not_an_answer, "the answer is no JSON: " + parsed.error().message);
  }
  const Root root(document.root());
  const auto said = [](const Value& holder) {
    const int status = error_status(holder["error"]);
    return fail(ErrorCode::stream_error, openai_chat::error_stated(holder).message, status);
  };
  if (is_error(root.error)) return said(root.whole);
  if (!root.choices.is_array() || !root.choices.first().is_object()) {
    return fail(ErrorCode::not_an_answer, "the answer has no choices");
  }
  const Choice first(root.choices.first());
  if (is_error(first.error)) return said(first.whole);
  if (first.reason.equals("error")) {
    return fail(ErrorCode::stream_error, "the upstream ended with finish_reason \"error\"");
  }
  if (!first.message.is_object()) {
    return fail(ErrorCode::not_an_answer, "choices[0] has no message");
  }
  const Message message(first.message);
  // A filtered answer is empty on purpose.
  if (!message.says_something() && !first.reason.equals("content_filter")) {
    return fail(ErrorCode::empty_answer, "the answer is empty");
  }
  const Value& counts = root.counts;
  if (!is_absent(counts) && !counts.is_object()) return wrong("usage", "an object");

  start(root, sink);
  if (auto read = choice(first, first.message, sink); !read) return read;
  if (auto closed = blocks_.close(sink); !closed) return closed;
  // Small servers leave the reason out; a whole body cannot be cut off.
  if (stop_ == StopReason::none) stop_ = StopReason::end_turn;
  if (counts.is_object()) usage(openai_chat::read_usage(counts), sink);
  finish(sink);
  return {};
}

}  // namespace

std::unique_ptr<Reader> OpenAiChat::make_reader() const {
  return std::make_unique<ChatReader>();
}

}  // namespace nl::dialect
