#include <fmt/chrono.h>

#include <ctime>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dialect/folded_answer.h"
#include "dialect/json_writer.h"
#include "dialect/ollama.h"
#include "dialect/turns.h"

namespace nl::dialect {
namespace {

using chat::BlockKind;
using chat::DeltaKind;
using chat::EventKind;
using chat::JsonText;
using chat::StopReason;

// Calls end with "stop" here.
std::string_view done_word(StopReason stop) {
  switch (stop) {
    case StopReason::none:
    case StopReason::end_turn:
    case StopReason::tool_use:
    case StopReason::stop_sequence:
    case StopReason::refusal:
    case StopReason::pause:
    case StopReason::error:
      return "stop";
    case StopReason::max_tokens:
      return "length";
  }
  return "stop";
}

std::string timestamp(std::int64_t epoch_seconds) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(static_cast<std::time_t>(epoch_seconds)));
}

class OllamaWriter final : public Writer {
 public:
  explicit OllamaWriter(AnswerContext context) : created_(timestamp(context.created)) {
    JsonWriter writer(line_begin_);
    writer.begin_object().string("model", context.model).string("created_at", created_);
    writer.key("message").begin_object().string("role", "assistant");
  }

  void event(const chat::Event& event, std::string& out) override;
  void filler(std::string& out) override;
  void error(const Error& error, std::string& out) override;
  void fold(const chat::Event& event) override;
  std::string whole() override;

 private:
  // A call, its texts still escaped.
  void delta(const chat::Event& event, std::string& out);
  void string_line(std::string_view name, JsonText text, std::string& out) const;
  static void write_call(JsonWriter& writer, const FoldedCall& call, std::int64_t index);
  void write_end(JsonWriter& writer, StopReason stop) const;

  std::string created_;
  std::string line_begin_;  // `{"model":...,"message":{"role":"assistant"` of every line
  chat::Usage usage_;
  FoldedCall open_;         // stream: the call whose arguments are being gathered
  std::int64_t calls_ = 0;  // stream: written
  FoldedAnswer folded_;
};

// Clients read `content` of every line.
void OllamaWriter::string_line(std::string_view name, JsonText text, std::string& out) const {
  out += line_begin_;
  out += ',';
  JsonWriter writer(out);
  if (name != "content") writer.string("content", "");
  writer.text(name, text).end_object().boolean("done", false).end_object();
  out += '\n';
}

void OllamaWriter::write_call(JsonWriter& writer, const FoldedCall& call, std::int64_t index) {
  writer.begin_object().text("id", {call.id}).key("function").begin_object();
  writer.integer("index", index).text("name", {call.name});
  writer.raw("arguments", {arguments_object(JsonText{call.arguments})});
  writer.end_object().end_object();
}

void OllamaWriter::write_end(JsonWriter& writer, StopReason stop) const {
  writer.end_object().boolean("done", true).string("done_reason", done_word(stop));
  if (usage_.input) writer.integer("prompt_eval_count", usage_.input_total());
  if (usage_.output) writer.integer("eval_count", *usage_.output);
  writer.end_object();
}

void OllamaWriter::event(const chat::Event& event, std::string& out) {
  usage_.merge(event.usage);
  switch (event.kind) {
    case EventKind::start:
      filler(out);
      return;
    case EventKind::ping:
    case EventKind::progress:
    case EventKind::usage:
      return;
    case EventKind::block_start:
      open_ = {std::string(event.id.escaped), std::string(event.name.escaped), {}};
      return;
    case EventKind::delta:
      delta(event, out);
      return;
    case EventKind::block_stop: {
      if (event.block != BlockKind::tool) return;
      out += line_begin_;
      out += ',';
      JsonWriter writer(out);
      writer.string("content", "").key("tool_calls").begin_array();
      write_call(writer, open_, calls_++);
      writer.end_array().end_object().boolean("done", false).end_object();
      out += '\n';
      return;
    }
    case EventKind::finish: {
      out += line_begin_;
      out += ',';
      JsonWriter writer(out);
      writer.string("content", "");
      write_end(writer, event.stop);
      out += '\n';
      return;
    }
    case EventKind::error:
      error(Error(ErrorCode::stream_error, event.error_message, event.error_status), out);
      return;
  }
}

void OllamaWriter::delta(const chat::Event& event, std::string& out) {
  if (event.text.empty()) return;
  switch (event.delta) {
    case DeltaKind::text:
      string_line("content", event.text, out);
      return;
    case DeltaKind::thinking:
      string_line("thinking", event.text, out);
      return;
    case DeltaKind::arguments:
      open_.arguments += event.text.escaped;
      return;
    // Proofs and blocks of another vendor mean nothing here.
    case DeltaKind::signature:
    case DeltaKind::opaque:
      return;
  }
}

void OllamaWriter::filler(std::string& out) {
  string_line("content", {}, out);
}

void OllamaWriter::error(const Error& error, std::string& out) {
  JsonWriter(out).begin_object().string("error", error.message).end_object();
  out += '\n';
}

void OllamaWriter::fold(const chat::Event& event) {
  usage_.merge(event.usage);
  folded_.add(event);
}

std::string OllamaWriter::whole() {
  std::string out = line_begin_ + ",";
  JsonWriter writer(out);
  writer.text("content", {folded_.text});
  if (!folded_.thinking.empty()) writer.text("thinking", {folded_.thinking});
  if (!folded_.calls.empty()) {
    std::int64_t index = 0;
    writer.key("tool_calls").begin_array();
    for (const FoldedCall& call : folded_.calls) write_call(writer, call, index++);
    writer.end_array();
  }
  write_end(writer, folded_.stop);
  return out;
}

}  // namespace

std::unique_ptr<Writer> Ollama::make_writer(AnswerContext context) const {
  return std::make_unique<OllamaWriter>(std::move(context));
}

}  // namespace nl::dialect
