// Reader of the Messages dialect: message_start, blocks one after another, message_delta,
// message_stop. Strict about order and types, because clients are; open for new event, block and
// delta types, because the vendor promises to add some. One Document serves all frames.
#include <fmt/format.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "dialect/anthropic.h"
#include "dialect/members.h"

namespace nl::dialect {
namespace {

using chat::BlockKind;
using chat::DeltaKind;
using chat::Event;
using chat::EventKind;
using chat::StopReason;
using Done = Result<void>;

std::unexpected<Error> broken(std::string message) {
  return fail(ErrorCode::protocol, std::move(message));
}

BlockKind block_kind(const Value& type) {
  if (type.equals("text")) return BlockKind::text;
  if (type.equals("thinking")) return BlockKind::thinking;
  if (type.equals("tool_use")) return BlockKind::tool;
  return BlockKind::opaque;
}

// A reason that is not on the list ended the answer in some clean way.
StopReason stop_reason(const Value& reason) {
  if (!reason.is_string()) return StopReason::none;
  if (reason.equals("end_turn")) return StopReason::end_turn;
  if (reason.equals("tool_use")) return StopReason::tool_use;
  if (reason.equals("max_tokens")) return StopReason::max_tokens;
  if (reason.equals("model_context_window_exceeded")) return StopReason::max_tokens;
  if (reason.equals("stop_sequence")) return StopReason::stop_sequence;
  if (reason.equals("refusal")) return StopReason::refusal;
  if (reason.equals("pause_turn")) return StopReason::pause;
  if (reason.equals("error")) return StopReason::error;
  return StopReason::end_turn;
}

std::optional<std::int64_t> count(const Value& value) {
  const auto number = value.integer();
  return number && *number >= 0 ? number : std::nullopt;
}

chat::Usage usage_of(const Value& usage) {
  Value input, cache_read, cache_write, output, details;
  find_members(usage, {{"input_tokens", &input},
                       {"cache_creation_input_tokens", &cache_write},
                       {"cache_read_input_tokens", &cache_read},
                       {"output_tokens", &output},
                       {"output_tokens_details", &details}});
  chat::Usage counts;
  counts.input = count(input);
  counts.cache_read = count(cache_read);
  counts.cache_write = count(cache_write);
  counts.output = count(output);
  counts.reasoning = count(details["thinking_tokens"]);
  return counts;
}

Event error_event(const Value& root) {
  const UpstreamError stated = anthropic::error_stated(root);
  Event event;
  event.kind = EventKind::error;
  event.error_type = root["error"]["type"].text().escaped;
  event.error_message = stated.message.empty() ? "the upstream reported an error" : stated.message;
  event.error_status = anthropic::error_status(stated.type);
  return event;
}

// The members of a whole message that say something here.
struct Message {
  explicit Message(const Value& message) {
    find_members(message, {{"id", &id},
                           {"type", &type},
                           {"role", &role},
                           {"model", &model},
                           {"content", &content},
                           {"stop_reason", &stop_reason},
                           {"stop_sequence", &stop_sequence},
                           {"usage", &usage},
                           {"error", &error}});
  }
  Value id, type, role, model, content, stop_reason, stop_sequence, usage, error;
};

class AnthropicReader final : public Reader {
 public:
  Done frame(const SseFrame& frame, EventSink& sink) override {
    if (frame.kind == FrameKind::comment || frame.data.empty()) return {};
    Document document;
    if (const auto parsed = document.parse(frame.data); !parsed) {
      return broken(parsed.error().message);
    }
    const Value root = document.root();
    if (!root.is_object()) return broken("an event that is no object");
    return dispatch(root, sink);
  }

  Done whole(std::string_view body, EventSink& sink) override {
    Document document;
    if (const auto parsed = document.parse(body); !parsed) {
      return fail(ErrorCode::not_an_answer, "the body is no JSON: " + parsed.error().message);
    }
    const Message message(document.root());
    if (message.type.equals("error") || message.error.is_object()) {
      return stated_error(document.root());
    }
    const Value& content = message.content;
    if (!content.is_array() || !(message.type.equals("message") || message.role.is_string())) {
      return fail(ErrorCode::not_an_answer, "the body is no message");
    }
    stop_ = stop_reason(message.stop_reason);
    stop_sequence_ = message.stop_sequence.text().escaped;
    if (is_empty_answer(content)) return fail(ErrorCode::empty_answer, "a message with no content");
    start(message, sink);
    for (Value block = content.first(); block; block = block.next()) {
      if (Done done = whole_block(block, sink); !done) return done;
    }
    emit_usage(message.usage, sink);
    finish(sink);
    return {};
  }

  bool finished() const override { return finished_; }

  // Clients take message_delta with a reason for the end when message_stop is cut off.
  void end(EventSink& sink) override {
    if (!finished_ && !open_ && stop_ != StopReason::none) finish(sink);
  }

 private:
  Done dispatch(const Value& root, EventSink& sink) {
    const Value type = root["type"];
    if (type.equals("ping")) return emit(Event(), sink);
    if (type.equals("error") || (!type && root["error"])) return emit(error_event(root), sink);
    if (!type.is_string()) return broken("an event without a type");
    if (type.equals("content_block_delta")) return block_delta(root, sink);
    if (type.equals("content_block_start")) return block_start(root, sink);
    if (type.equals("content_block_stop")) return block_stop(root, sink);
    if (type.equals("message_delta")) return message_delta(root, sink);
    if (type.equals("message_stop")) return message_stop(sink);
    if (type.equals("message_start")) return message_start(root, sink);
    return {};
  }

  static Done emit(const Event& event, EventSink& sink) {
    sink.on_event(event);
    return {};
  }

  Done message_start(const Value& root, EventSink& sink) {
    if (started_) return broken("a second message_start");
    const Value message = root["message"];
    if (!message.is_object()) return broken("message_start without a message");
    start(Message(message), sink);
    return {};
  }

  void start(const Message& message, EventSink& sink) {
    started_ = true;
    usage_ = usage_of(message.usage);
    Event event;
    event.kind = EventKind::start;
    event.id = message.id.text();
    event.name = message.model.text();
    event.usage = usage_;
    sink.on_event(event);
  }

  Done block_start(const Value& root, EventSink& sink) {
    if (!started_ || finished_) return broken("content_block_start outside a message");
    if (open_) return broken(fmt::format("block {} begins inside another", next_index_));
    if (root["index"].integer() != next_index_) {
      return broken(fmt::format("content_block_start without index {}", next_index_));
    }
    return open_block(root["content_block"], sink);
  }

  Done open_block(const Value& block, EventSink& sink) {
    const Value type = block["type"];
    if (!type.is_string()) return broken("a block without a type");
    open_ = true;
    kind_ = block_kind(type);
    saw_arguments_ = false;
    held_input_.clear();
    Event event = block_event(EventKind::block_start);
    if (kind_ == BlockKind::tool) {
      if (!block["id"].is_string() || !block["name"].is_string()) {
        return broken("a tool_use block without id or name");
      }
      event.id = block["id"].text();
      event.name = block["name"].text();
      // Some servers state the arguments here and send no delta.
      const Value input = block["input"];
      if (input.is_object() && input.size() > 0) chat::append_escaped(held_input_, input.raw());
    }
    sink.on_event(event);
    if (kind_ == BlockKind::text) emit_delta(DeltaKind::text, block["text"].text(), sink);
    if (kind_ == BlockKind::thinking) {
      emit_delta(DeltaKind::thinking, block["thinking"].text(), sink);
      emit_delta(DeltaKind::signature, block["signature"].text(), sink);
    }
    return {};
  }

  Event block_event(EventKind kind) const {
    Event event;
    event.kind = kind;
    event.index = static_cast<std::uint32_t>(next_index_);
    event.block = kind_;
    return event;
  }

  void emit_delta(DeltaKind kind, chat::JsonText text, EventSink& sink) {
    if (text.empty()) return;
    if (kind == DeltaKind::arguments) saw_arguments_ = true;
    Event event = block_event(EventKind::delta);
    event.delta = kind;
    event.text = text;
    sink.on_event(event);
  }

  Done block_delta(const Value& root, EventSink& sink) {
    if (!open_ || root["index"].integer() != next_index_) {
      return broken("content_block_delta for a block that is not open");
    }
    const Value delta = root["delta"];
    const Value type = delta["type"];
    if (!type.is_string()) return broken("a delta without a type");
    if (kind_ == BlockKind::opaque) return opaque_delta(sink);
    if (type.equals("text_delta")) {
      return typed_delta(delta["text"], {BlockKind::text, DeltaKind::text}, sink);
    }
    if (type.equals("input_json_delta")) {
      return typed_delta(delta["partial_json"], {BlockKind::tool, DeltaKind::arguments}, sink);
    }
    if (type.equals("thinking_delta")) {
      return typed_delta(delta["thinking"], {BlockKind::thinking, DeltaKind::thinking}, sink);
    }
    if (type.equals("signature_delta")) {
      return typed_delta(delta["signature"], {BlockKind::thinking, DeltaKind::signature}, sink);
    }
    return opaque_delta(sink);
  }

  // A kind of delta and the kind of block it belongs into.
  struct Fit {
    BlockKind block;
    DeltaKind delta;
  };

  Done typed_delta(const Value& text, Fit fit, EventSink& sink) {
    if (!text.is_string()) return broken("a delta without its text");
    if (fit.block != kind_) return broken("a delta that does not fit its block");
    emit_delta(fit.delta, text.text(), sink);
    return {};
  }

  Done opaque_delta(EventSink& sink) {
    Event event = block_event(EventKind::delta);
    event.delta = DeltaKind::opaque;
    return emit(event, sink);
  }

  Done block_stop(const Value& root, EventSink& sink) {
    if (!open_ || root["index"].integer() != next_index_) {
      return broken("content_block_stop for a block that is not open");
    }
    close_block(sink);
    return {};
  }

  void close_block(EventSink& sink) {
    if (kind_ == BlockKind::tool && !saw_arguments_) {
      emit_delta(DeltaKind::arguments,
                 chat::JsonText{held_input_.empty() ? std::string_view("{}") : held_input_}, sink);
    }
    saw_tool_ |= kind_ == BlockKind::tool;
    sink.on_event(block_event(EventKind::block_stop));
    open_ = false;
    ++next_index_;
  }

  Done message_delta(const Value& root, EventSink& sink) {
    if (!started_ || finished_) return broken("message_delta outside a message");
    if (open_) return broken("message_delta before the last block was closed");
    const Value delta = root["delta"];
    const StopReason reason = stop_reason(delta["stop_reason"]);
    if (reason != StopReason::none) stop_ = reason;
    if (delta["stop_sequence"].is_string()) stop_sequence_ = delta["stop_sequence"].text().escaped;
    emit_usage(root["usage"], sink);
    return {};
  }

  Done message_stop(EventSink& sink) {
    if (!started_ || finished_) return broken("message_stop outside a message");
    if (open_) return broken("message_stop before the last block was closed");
    finish(sink);
    return {};
  }

  void emit_usage(const Value& usage, EventSink& sink) {
    if (!usage.is_object()) return;
    usage_.merge(usage_of(usage));
    Event event;
    event.kind = EventKind::usage;
    event.usage = usage_;
    sink.on_event(event);
  }

  void finish(EventSink& sink) {
    finished_ = true;
    Event event;
    event.kind = EventKind::finish;
    event.usage = usage_;
    event.stop = stop_;
    if (stop_ == StopReason::none) {
      event.stop = saw_tool_ ? StopReason::tool_use : StopReason::end_turn;
    }
    event.stop_sequence = chat::JsonText{stop_sequence_};
    sink.on_event(event);
  }

  static Done stated_error(const Value& root) {
    const Event event = error_event(root);
    return fail(ErrorCode::stream_error, event.error_message, event.error_status);
  }

  // A cap, a refusal or a stop sequence may well leave nothing to say; a plain end may not.
  bool is_empty_answer(const Value& content) const {
    const bool plain_end =
        stop_ == StopReason::none || stop_ == StopReason::end_turn || stop_ == StopReason::tool_use;
    if (!plain_end) return false;
    for (Value block = content.first(); block; block = block.next()) {
      const BlockKind kind = block_kind(block["type"]);
      if (kind == BlockKind::tool || kind == BlockKind::opaque) return false;
      if (!block["text"].text().empty() || !block["thinking"].text().empty()) return false;
    }
    return true;
  }

  Done whole_block(const Value& block, EventSink& sink) {
    if (!block.is_object()) return broken("a block that is no object");
    if (block["type"].equals("tool_use") && !block["input"].is_object()) {
      return broken("a tool_use block whose input is no object");
    }
    if (Done done = open_block(block, sink); !done) return done;
    close_block(sink);
    return {};
  }

  chat::Usage usage_;
  std::string stop_sequence_;
  std::string held_input_;  // arguments stated at the block's start, escaped
  std::int64_t next_index_ = 0;
  StopReason stop_ = StopReason::none;
  BlockKind kind_ = BlockKind::text;
  bool started_ = false;
  bool open_ = false;  // a block is open: number next_index_
  bool finished_ = false;
  bool saw_arguments_ = false;
  bool saw_tool_ = false;
};

}  // namespace

std::unique_ptr<Reader> Anthropic::make_reader() const {
  return std::make_unique<AnthropicReader>();
}

}  // namespace nl::dialect
