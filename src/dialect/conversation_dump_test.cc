#include "dialect/conversation_dump.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <utility>
#include <variant>

#include "dialect/json.h"
#include "dialect/turns.h"

namespace nl::dialect {
namespace {

constexpr std::size_t kInlineBytesMax = 88;

std::string quoted(chat::JsonText text) {
  return fmt::format("\"{}\"", text.escaped);
}

std::string cached(chat::JsonRaw mark) {
  return mark.empty() ? "" : fmt::format(" cache {}", mark.json);
}

std::string line(const chat::Text& text) {
  return fmt::format("text {}{}", quoted(text.text), cached(text.cache_control));
}
std::string line(const chat::Image& image) {
  std::string out = "image";
  if (!image.media_type.empty()) out += " " + image.media_type.utf8();
  if (!image.base64.empty()) out += fmt::format(" base64 {}", quoted(image.base64));
  if (!image.url.empty()) out += fmt::format(" url {}", quoted(image.url));
  if (!image.detail.empty()) out += fmt::format(" detail {}", quoted(image.detail));
  return out;
}
std::string line(const chat::ToolUse& call) {
  return fmt::format("tool_use {} {} {}{}", quoted(call.id), quoted(call.name),
                     arguments_object(call), cached(call.cache_control));
}
std::string line(const chat::ToolResult& result) {
  std::string out = fmt::format("tool_result {}{}{}", quoted(result.tool_use_id),
                                result.is_error ? " error" : "", cached(result.cache_control));
  for (const chat::ResultPart& part : result.content) {
    out += std::visit([](const auto& value) { return " | " + line(value); }, part);
  }
  return out;
}
std::string line(const chat::Thinking& thinking) {
  if (!thinking.redacted.empty())
    return fmt::format("thinking redacted {}", thinking.redacted.escaped);
  return fmt::format("thinking {} signature {}", quoted(thinking.text), quoted(thinking.signature));
}
std::string line(const chat::Opaque& block) {
  return fmt::format("opaque {} {}", block.type, block.json.json);
}

const char* name(chat::Role role) {
  switch (role) {
    case chat::Role::system:
      return "system";
    case chat::Role::user:
      return "user";
    case chat::Role::assistant:
      return "assistant";
  }
  return "";
}

const char* name(chat::ToolChoice choice) {
  switch (choice) {
    case chat::ToolChoice::unset:
      return "unset";
    case chat::ToolChoice::automatic:
      return "automatic";
    case chat::ToolChoice::any:
      return "any";
    case chat::ToolChoice::none:
      return "none";
    case chat::ToolChoice::named:
      return "named";
  }
  return "";
}

const char* name(chat::Effort effort) {
  switch (effort) {
    case chat::Effort::unset:
      return "unset";
    case chat::Effort::none:
      return "none";
    case chat::Effort::minimal:
      return "minimal";
    case chat::Effort::low:
      return "low";
    case chat::Effort::medium:
      return "medium";
    case chat::Effort::high:
      return "high";
    case chat::Effort::xhigh:
      return "xhigh";
    case chat::Effort::max:
      return "max";
  }
  return "";
}

const char* name(chat::BlockKind kind) {
  switch (kind) {
    case chat::BlockKind::text:
      return "text";
    case chat::BlockKind::thinking:
      return "thinking";
    case chat::BlockKind::tool:
      return "tool";
    case chat::BlockKind::opaque:
      return "opaque";
  }
  return "";
}

const char* name(chat::DeltaKind kind) {
  switch (kind) {
    case chat::DeltaKind::text:
      return "text";
    case chat::DeltaKind::thinking:
      return "thinking";
    case chat::DeltaKind::signature:
      return "signature";
    case chat::DeltaKind::arguments:
      return "arguments";
    case chat::DeltaKind::opaque:
      return "opaque";
  }
  return "";
}

const char* name(chat::StopReason reason) {
  switch (reason) {
    case chat::StopReason::none:
      return "none";
    case chat::StopReason::end_turn:
      return "end_turn";
    case chat::StopReason::tool_use:
      return "tool_use";
    case chat::StopReason::max_tokens:
      return "max_tokens";
    case chat::StopReason::stop_sequence:
      return "stop_sequence";
    case chat::StopReason::refusal:
      return "refusal";
    case chat::StopReason::pause:
      return "pause";
    case chat::StopReason::error:
      return "error";
  }
  return "";
}

template <typename T>
std::string counted(const char* what, const std::optional<T>& value) {
  return value ? fmt::format(" {}={}", what, *value) : std::string();
}

std::string dump(const chat::Usage& usage) {
  return counted("input", usage.input) + counted("cache_read", usage.cache_read) +
         counted("cache_write", usage.cache_write) + counted("output", usage.output) +
         counted("reasoning", usage.reasoning);
}

std::string settings(const chat::Request& request) {
  std::string out = fmt::format("Request model {}", quoted(request.model));
  if (request.stream) out += " stream";
  if (request.include_usage) out += " include_usage";
  out += counted("max_tokens", request.max_tokens);
  out += counted("temperature", request.sampling.temperature);
  out += counted("top_p", request.sampling.top_p) + counted("top_k", request.sampling.top_k);
  out += counted("seed", request.sampling.seed);
  for (const chat::JsonText stop : request.sampling.stop) out += " stop=" + quoted(stop);
  if (request.reasoning.enabled) out += " reasoning";
  out += counted("budget", request.reasoning.budget_tokens);
  if (request.reasoning.effort != chat::Effort::unset) {
    out += fmt::format(" effort={}", name(request.reasoning.effort));
  }
  if (request.tool_choice != chat::ToolChoice::unset) {
    out += fmt::format(" tool_choice={}", name(request.tool_choice));
  }
  if (!request.tool_choice_name.empty()) out += quoted(request.tool_choice_name);
  out += counted("parallel", request.parallel_tools);
  if (!request.user.empty()) out += " user=" + quoted(request.user);
  if (request.format.kind == chat::Format::json_object) out += " format=json_object";
  if (request.format.kind == chat::Format::json_schema) {
    out += fmt::format(" format=json_schema {}", request.format.schema.json);
  }
  if (!request.only_this_dialect.empty()) out += " only_here=" + request.only_this_dialect;
  return out + "\n";
}

// `value` at `indent`; values that fit stay on one line.
void append_pretty(const Value& value, std::size_t indent, std::string& out) {
  if (value.raw().size() + indent <= kInlineBytesMax || value.size() == 0) {
    out += value.raw();
    return;
  }
  const bool object = value.is_object();
  out += object ? "{\n" : "[\n";
  for (Value child = value.first(); child; child = child.next()) {
    out.append(indent + 2, ' ');
    if (object) out.append("\"").append(child.key().escaped).append("\": ");
    append_pretty(child, indent + 2, out);
    out += child.next() ? ",\n" : "\n";
  }
  out.append(indent, ' ');
  out += object ? '}' : ']';
}

}  // namespace

std::string dump(const chat::Request& request) {
  std::string out = settings(request);
  for (const chat::Text& text : request.system) out += fmt::format("system: {}\n", line(text));
  for (const chat::Message& message : request.messages) {
    out += fmt::format("{}:\n", name(message.role));
    for (const chat::Block& block : message.content) {
      out += std::visit([](const auto& value) { return "  " + line(value) + "\n"; }, block);
    }
  }
  for (const chat::Tool& tool : request.tools) {
    out += tool.kind == chat::ToolKind::vendor
               ? fmt::format("tool: vendor {}\n", tool.vendor.json)
               : fmt::format("tool: {} {} {}{}\n", quoted(tool.name), quoted(tool.description),
                             tool.schema.json, cached(tool.cache_control));
  }
  return out;
}

std::string dump(const chat::Event& event) {
  switch (event.kind) {
    case chat::EventKind::start:
      return fmt::format("start {} {}{}", quoted(event.id), quoted(event.name), dump(event.usage));
    case chat::EventKind::block_start:
      return fmt::format("block_start {} {}{}", event.index, name(event.block),
                         event.block == chat::BlockKind::tool
                             ? fmt::format(" {} {}", quoted(event.id), quoted(event.name))
                             : std::string());
    case chat::EventKind::delta:
      return fmt::format("delta {} {} {}", event.index, name(event.delta), quoted(event.text));
    case chat::EventKind::block_stop:
      return fmt::format("block_stop {}", event.index);
    case chat::EventKind::usage:
      return fmt::format("usage{}", dump(event.usage));
    case chat::EventKind::finish:
      return fmt::format("finish {}{}{}", name(event.stop),
                         event.stop_sequence.empty() ? "" : " " + quoted(event.stop_sequence),
                         dump(event.usage));
    case chat::EventKind::ping:
      return "ping";
    case chat::EventKind::progress:
      return "progress";
    case chat::EventKind::error:
      return fmt::format("error {} status={} {}", event.error_type, event.error_status,
                         event.error_message);
  }
  return "";
}

std::string pretty(std::string_view json) {
  Document document;
  if (!document.parse(json)) return std::string(json);
  std::string out;
  append_pretty(document.root(), 0, out);
  return out;
}

void EventLines::on_event(const chat::Event& event) {
  lines_.push_back(dump(event));
  usage_.merge(event.usage);
  switch (event.kind) {
    case chat::EventKind::block_start:
      block_ = name(event.block);
      if (event.block == chat::BlockKind::tool)
        block_ += " " + quoted(event.id) + quoted(event.name);
      has_content_ = event.block == chat::BlockKind::tool;
      last_delta_ = chat::DeltaKind::opaque;
      return;
    case chat::EventKind::delta:
      if (event.text.empty()) return;
      has_content_ = true;
      if (event.delta != last_delta_) block_ += fmt::format(" {}: ", name(event.delta));
      last_delta_ = event.delta;
      block_ += event.text.escaped;
      return;
    case chat::EventKind::block_stop:
      if (has_content_) gist_.push_back(block_);
      return;
    case chat::EventKind::finish:
      gist_.push_back(fmt::format("finish {} {}", name(event.stop), event.stop_sequence.escaped));
      return;
    case chat::EventKind::error:
      gist_.push_back(dump(event));
      return;
    case chat::EventKind::start:
    case chat::EventKind::usage:
    case chat::EventKind::ping:
    case chat::EventKind::progress:
      return;
  }
}

std::string EventLines::text() const {
  std::string out;
  for (const std::string& each : lines_) out += each + "\n";
  return out;
}

std::string EventLines::gist() const {
  std::string out;
  for (const std::string& each : gist_) out += each + "\n";
  return out + "usage" + dump(usage_) + "\n";
}

TEST(ConversationDump, BreaksLongJsonAndKeepsShortOnOneLine) {
  EXPECT_EQ(pretty(R"({"a":[1,2]})"), R"({"a":[1,2]})");
  const std::string text(90, 'x');
  EXPECT_EQ(pretty(R"({"a":")" + text + R"(","b":1})"),
            "{\n  \"a\": \"" + text + "\",\n  \"b\": 1\n}");
}

}  // namespace nl::dialect
