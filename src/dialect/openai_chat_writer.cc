#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dialect/folded_answer.h"
#include "dialect/json_writer.h"
#include "dialect/openai_chat.h"

namespace nl::dialect {
namespace {

using chat::BlockKind;
using chat::DeltaKind;
using chat::EventKind;
using chat::JsonText;
using chat::StopReason;

std::string_view finish_word(StopReason stop) {
  switch (stop) {
    case StopReason::none:
    case StopReason::end_turn:
    case StopReason::stop_sequence:
    case StopReason::pause:
      return "stop";
    case StopReason::tool_use:
      return "tool_calls";
    case StopReason::max_tokens:
      return "length";
    case StopReason::refusal:
      return "content_filter";
    case StopReason::error:
      return "error";
  }
  return "stop";
}

bool is_known(const chat::Usage& usage) {
  return usage.input || usage.output;
}

// Details that nobody counted are left out: absent is not zero.
void write_usage(JsonWriter& writer, const chat::Usage& usage) {
  const std::int64_t prompt = usage.input_total();
  const std::int64_t completion = usage.output.value_or(0);
  writer.key("usage").begin_object().integer("prompt_tokens", prompt);
  writer.integer("completion_tokens", completion).integer("total_tokens", prompt + completion);
  if (usage.cache_read || usage.cache_write) {
    writer.key("prompt_tokens_details").begin_object();
    if (usage.cache_read) writer.integer("cached_tokens", *usage.cache_read);
    if (usage.cache_write) writer.integer("cache_write_tokens", *usage.cache_write);
    writer.end_object();
  }
  if (usage.reasoning) {
    writer.key("completion_tokens_details").begin_object();
    writer.integer("reasoning_tokens", *usage.reasoning).end_object();
  }
  writer.end_object();
}

class ChatWriter final : public Writer {
 public:
  explicit ChatWriter(AnswerContext context) : context_(std::move(context)) {}

  void event(const chat::Event& event, std::string& out) override;
  void filler(std::string& out) override;
  void error(const Error& error, std::string& out) override;
  void fold(const chat::Event& event) override;
  std::string whole() override;

 private:
  // A call of a whole answer; its texts are still escaped.
  void begin(JsonWriter& writer, std::string_view object) const;
  void open(std::string& out);
  void delta(const chat::Event& event, std::string& out);
  void call_start(const chat::Event& event, std::string& out);
  void call_arguments(JsonText piece, std::string& out);
  void finish(const chat::Event& event, std::string& out);
  // A chunk with one delta of the given members.
  void string_delta(std::string_view name, JsonText text, std::string& out) const;
  void begin_delta(std::string& out) const;
  static void end_delta(std::string& out) { out += "},\"finish_reason\":null}]}\n\n"; }

  AnswerContext context_;
  std::string chunk_begin_;  // `data: {"id":...,"model":...,` of every chunk, once open
  chat::Usage usage_;
  std::int64_t calls_ = 0;
  bool opened_ = false;
  bool arguments_written_ = false;  // of the open call
  FoldedAnswer folded_;
};

void ChatWriter::begin(JsonWriter& writer, std::string_view object) const {
  writer.begin_object().string("id", context_.id).string("object", object);
  writer.integer("created", context_.created).string("model", context_.model);
}

void ChatWriter::begin_delta(std::string& out) const {
  out += chunk_begin_;
  out += "\"choices\":[{\"index\":0,\"delta\":{";
}

void ChatWriter::open(std::string& out) {
  if (opened_) return;
  opened_ = true;
  chunk_begin_ = "data: ";
  JsonWriter writer(chunk_begin_);
  begin(writer, "chat.completion.chunk");
  chunk_begin_ += ',';
  begin_delta(out);
  out += "\"role\":\"assistant\",\"content\":\"\"";
  end_delta(out);
}

void ChatWriter::string_delta(std::string_view name, JsonText text, std::string& out) const {
  begin_delta(out);
  out.append("\"").append(name).append("\":\"").append(text.escaped).append("\"");
  end_delta(out);
}

void ChatWriter::event(const chat::Event& event, std::string& out) {
  usage_.merge(event.usage);
  switch (event.kind) {
    case EventKind::ping:
    case EventKind::progress:
    case EventKind::usage:
      return;
    case EventKind::start:
      open(out);
      return;
    case EventKind::block_start:
      open(out);
      if (event.block == BlockKind::tool) call_start(event, out);
      return;
    case EventKind::delta:
      open(out);
      delta(event, out);
      return;
    case EventKind::block_stop:
      // Clients parse the arguments of every call: none at all must be an empty object.
      if (event.block == BlockKind::tool && !arguments_written_) call_arguments({"{}"}, out);
      return;
    case EventKind::finish:
      open(out);
      finish(event, out);
      return;
    case EventKind::error:
      error(Error(ErrorCode::stream_error, event.error_message, event.error_status), out);
      return;
  }
}

void ChatWriter::delta(const chat::Event& event, std::string& out) {
  if (event.text.empty()) return;
  switch (event.delta) {
    case DeltaKind::text:
      string_delta("content", event.text, out);
      return;
    case DeltaKind::thinking:
      string_delta("reasoning_content", event.text, out);
      return;
    case DeltaKind::arguments:
      call_arguments(event.text, out);
      return;
    // Proofs and blocks of another vendor mean nothing here.
    case DeltaKind::signature:
    case DeltaKind::opaque:
      return;
  }
}

void ChatWriter::call_start(const chat::Event& event, std::string& out) {
  begin_delta(out);
  JsonWriter writer(out);
  writer.key("tool_calls").begin_array().begin_object().integer("index", calls_);
  writer.text("id", event.id).string("type", "function").key("function").begin_object();
  writer.text("name", event.name).string("arguments", "").end_object().end_object().end_array();
  end_delta(out);
  ++calls_;
  arguments_written_ = false;
}

void ChatWriter::call_arguments(JsonText piece, std::string& out) {
  arguments_written_ = true;
  begin_delta(out);
  JsonWriter writer(out);
  writer.key("tool_calls").begin_array().begin_object().integer("index", calls_ - 1);
  writer.key("function").begin_object().text("arguments", piece).end_object().end_object();
  writer.end_array();
  end_delta(out);
}

void ChatWriter::finish(const chat::Event& event, std::string& out) {
  out.append(chunk_begin_).append("\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"");
  out.append(finish_word(event.stop)).append("\"}]}\n\n");
  if (context_.include_usage && is_known(usage_)) {
    out += chunk_begin_;
    JsonWriter writer(out);
    writer.key("choices").begin_array().end_array();
    write_usage(writer, usage_);
    out += "}\n\n";
  }
  out += "data: [DONE]\n\n";
}

void ChatWriter::filler(std::string& out) {
  open(out);
  begin_delta(out);
  end_delta(out);
}

// No [DONE] and no finish_reason behind it: either would make the half answer look whole.
void ChatWriter::error(const Error& error, std::string& out) {
  out.append("data: {\"error\":{").append(openai_chat::error_members(error)).append("}}\n\n");
}

void ChatWriter::fold(const chat::Event& event) {
  usage_.merge(event.usage);
  folded_.add(event);
}

std::string ChatWriter::whole() {
  std::string out;
  out.reserve(folded_.text.size() + folded_.thinking.size() + 512);
  JsonWriter writer(out);
  begin(writer, "chat.completion");
  writer.key("choices").begin_array().begin_object().integer("index", 0);
  writer.key("message").begin_object().string("role", "assistant").key("content");
  folded_.text.empty() && !folded_.calls.empty() ? writer.null() : writer.text({folded_.text});
  if (!folded_.thinking.empty()) writer.text("reasoning_content", {folded_.thinking});
  writer.key("refusal").null();
  if (!folded_.calls.empty()) {
    writer.key("tool_calls").begin_array();
    for (const FoldedCall& call : folded_.calls) {
      writer.begin_object().text("id", {call.id}).string("type", "function");
      writer.key("function").begin_object().text("name", {call.name});
      writer.text("arguments", {call.arguments.empty() ? "{}" : call.arguments});
      writer.end_object().end_object();
    }
    writer.end_array();
  }
  writer.end_object().key("logprobs").null().string("finish_reason", finish_word(folded_.stop));
  writer.end_object().end_array();
  if (is_known(usage_)) write_usage(writer, usage_);
  writer.end_object();
  return out;
}

}  // namespace

std::unique_ptr<Writer> OpenAiChat::make_writer(AnswerContext context) const {
  return std::make_unique<ChatWriter>(std::move(context));
}

}  // namespace nl::dialect
