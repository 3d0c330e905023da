// Writer of the Messages dialect. Blocks are written one after another with dense numbers, however
// many of the answer's blocks this dialect has no form for; text goes through still escaped.
#include <fmt/format.h>

#include <cstdint>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "dialect/anthropic.h"
#include "dialect/anthropic_answer.h"
#include "dialect/json_writer.h"
#include "dialect/tool_id.h"

namespace nl::dialect {
namespace {

using chat::BlockKind;
using chat::DeltaKind;
using chat::Event;
using chat::EventKind;
using chat::JsonText;
using chat::StopReason;

Error error_of(const Event& event) {
  return Error(ErrorCode::stream_error, event.error_message, event.error_status);
}

// Stream mode: events to server-sent events.
class StreamWriter {
 public:
  explicit StreamWriter(const AnswerContext& context)
      : context_(context), tally_(context.input_estimate) {}

  void event(const Event& event, std::string& out) {
    if (closed_ || event.kind == EventKind::progress) return;
    tally_.take(event);
    if (event.kind == EventKind::error) {
      error(error_of(event), out);
      return;
    }
    open(out);
    switch (event.kind) {
      case EventKind::start:
      case EventKind::usage:
        return;
      case EventKind::block_start:
        return block_start(event, out);
      case EventKind::delta:
        return delta(event, out);
      case EventKind::block_stop:
        return block_stop(out);
      case EventKind::finish:
        return finish(event, out);
      case EventKind::ping:
        return ping(out);
      case EventKind::progress:
      case EventKind::error:
        return;
    }
  }

  void filler(std::string& out) {
    if (closed_) return;
    open(out);
    ping(out);
  }

  void error(const Error& error, std::string& out) {
    if (closed_) return;
    closed_ = true;
    out += "event: error\ndata: ";
    JsonWriter(out).begin_object().members(anthropic::error_members(error)).end_object();
    out += "\n\n";
  }

 private:
  void open(std::string& out) {
    if (opened_) return;
    opened_ = true;
    out += "event: message_start\ndata: ";
    JsonWriter json(out);
    json.begin_object().string("type", "message_start").key("message").begin_object();
    json.string("id", context_.id).string("type", "message").string("role", "assistant");
    json.string("model", context_.model).key("content").begin_array().end_array();
    json.key("stop_reason").null().key("stop_sequence").null().key("usage");
    tally_.append_usage(json);
    json.end_object().end_object();
    out += "\n\n";
  }

  static void ping(std::string& out) { out += "event: ping\ndata: {\"type\":\"ping\"}\n\n"; }

  // Text and thinking begin with their first byte: an empty block would come back in the next turn,
  // and the vendor refuses it there.
  void block_start(const Event& event, std::string& out) {
    if (block_open_) block_stop(out);
    kind_ = event.block;
    saw_delta_ = false;
    signature_.begin();
    if (kind_ != BlockKind::tool) return;
    begin_block(out);
    JsonWriter json(out);
    json.begin_object().string("type", "tool_use").string("id", fit_tool_id(event.id));
    json.text("name", event.name).key("input").begin_object().end_object().end_object();
    end_event(out);
  }

  void begin_block(std::string& out) {
    block_open_ = true;
    delta_head_ = fmt::format(
        "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":{},"
        "\"delta\":{{\"type\":\"",
        index_);
    fmt::format_to(std::back_inserter(out),
                   "event: content_block_start\ndata: {{\"type\":\"content_block_start\","
                   "\"index\":{},\"content_block\":",
                   index_);
  }

  static void end_event(std::string& out) { out += "}\n\n"; }

  void delta(const Event& event, std::string& out) {
    if (event.text.empty()) return;
    switch (event.delta) {
      case DeltaKind::text:
        if (!block_open_) begin_text(R"({"type":"text","text":""})", out);
        return write_delta("text_delta\",\"text", event.text, out);
      case DeltaKind::thinking:
        signature_.take(event);
        if (!block_open_) begin_text(kEmptyThinking, out);
        return write_delta("thinking_delta\",\"thinking", event.text, out);
      case DeltaKind::signature:
        signature_.take(event);
        if (!block_open_) begin_text(kEmptyThinking, out);
        return write_delta("signature_delta\",\"signature", event.text, out);
      case DeltaKind::arguments:
        return write_delta("input_json_delta\",\"partial_json", event.text, out);
      case DeltaKind::opaque:
        return;
    }
  }

  void begin_text(std::string_view block, std::string& out) {
    begin_block(out);
    out += block;
    end_event(out);
  }

  // `names` are the delta's type and the name of its text, with what stands between.
  void write_delta(std::string_view names, JsonText text, std::string& out) {
    if (!block_open_) return;
    saw_delta_ = true;
    out.append(delta_head_).append(names).append("\":\"").append(text.escaped).append("\"}}\n\n");
  }

  void block_stop(std::string& out) {
    if (!block_open_) return;
    if (kind_ == BlockKind::tool && !saw_delta_) {
      write_delta("input_json_delta\",\"partial_json", JsonText{"{}"}, out);
    }
    if (kind_ == BlockKind::thinking && signature_.is_missing()) {
      write_delta("signature_delta\",\"signature", JsonText{signature_.mint()}, out);
    }
    fmt::format_to(std::back_inserter(out),
                   "event: content_block_stop\ndata: {{\"type\":\"content_block_stop\","
                   "\"index\":{}}}\n\n",
                   index_);
    block_open_ = false;
    ++index_;
  }

  void finish(const Event& event, std::string& out) {
    if (event.stop == StopReason::error) {
      error(Error(ErrorCode::stream_error, "the model ended its answer with an error"), out);
      return;
    }
    block_stop(out);
    closed_ = true;
    out += "event: message_delta\ndata: ";
    JsonWriter json(out);
    json.begin_object().string("type", "message_delta").key("delta").begin_object();
    json.string("stop_reason", anthropic::reason_name(tally_.stop(event.stop)))
        .key("stop_sequence");
    event.stop_sequence.empty() ? json.null() : json.text(event.stop_sequence);
    json.end_object().key("usage");
    tally_.append_usage(json);
    json.end_object();
    out += "\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
  }

  static constexpr std::string_view kEmptyThinking =
      R"({"type":"thinking","thinking":"","signature":""})";

  const AnswerContext& context_;
  anthropic::Tally tally_;
  anthropic::Signature signature_;
  std::string delta_head_;   // the bytes of every delta of the open block up to its type
  std::uint32_t index_ = 0;  // of the block that is open or comes next
  BlockKind kind_ = BlockKind::text;
  bool opened_ = false;
  bool closed_ = false;
  bool block_open_ = false;
  bool saw_delta_ = false;
};

class AnthropicWriter final : public Writer {
 public:
  explicit AnthropicWriter(AnswerContext context)
      : context_(std::move(context)), stream_(context_), folder_(context_) {}

  void event(const Event& event, std::string& out) override { stream_.event(event, out); }
  void filler(std::string& out) override { stream_.filler(out); }
  void error(const Error& error, std::string& out) override { stream_.error(error, out); }
  void fold(const Event& event) override { folder_.fold(event); }
  std::string whole() override { return folder_.whole(); }

 private:
  const AnswerContext context_;  // the two modes read it
  StreamWriter stream_;
  anthropic::MessageFolder folder_;
};

}  // namespace

std::unique_ptr<Writer> Anthropic::make_writer(AnswerContext context) const {
  return std::make_unique<AnthropicWriter>(std::move(context));
}

}  // namespace nl::dialect
