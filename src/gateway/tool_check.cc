#include "gateway/tool_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "dialect/tool_name.h"
#include "dialect/tool_schema.h"

namespace nl::gateway {
namespace {

using chat::BlockKind;
using chat::EventKind;

chat::Event block_event(EventKind kind, std::uint32_t index, BlockKind block) {
  chat::Event event;
  event.kind = kind;
  event.index = index;
  event.block = block;
  return event;
}

}  // namespace

void ToolCheck::check(const chat::Event& event) {
  if (failed_ || wants_form(event)) return;
  const bool begins = event.kind == EventKind::block_start && event.block == BlockKind::tool;
  if (begins || held_) {
    hold(event);
    return;
  }
  if (event.kind == EventKind::finish && told_ && !passed_ &&
      event.stop == chat::StopReason::tool_use) {
    chat::Event ended = event;
    ended.stop = chat::StopReason::end_turn;
    next_.on_event(ended);
    return;
  }
  next_.on_event(event);
}

bool ToolCheck::wants_form(const chat::Event& event) {
  if (setup_.words == Words::welcome) return false;
  if (event.kind == EventKind::finish && !passed_ && !told_) {
    fail(kFormWanted, "the answer is put into the wanted format by a second request");
    return true;
  }
  const bool of_text = event.block == BlockKind::text && !held_;
  switch (event.kind) {
    case EventKind::block_start:
    case EventKind::delta:
    case EventKind::block_stop:
      break;
    case EventKind::start:
    case EventKind::usage:
    case EventKind::finish:
    case EventKind::ping:
    case EventKind::progress:
    case EventKind::error:
      return false;
  }
  if (!of_text) return false;
  chat::Event alive;
  alive.kind = EventKind::progress;
  next_.on_event(alive);
  return true;
}

void ToolCheck::hold(const chat::Event& event) {
  switch (event.kind) {
    case EventKind::block_start:
      held_ = Held{event.index, std::string(event.id.escaped), std::string(event.name.escaped), {}};
      break;
    case EventKind::delta:
      held_->arguments += event.text.escaped;
      break;
    case EventKind::block_stop:
      release();
      return;
    case EventKind::start:
    case EventKind::usage:
    case EventKind::finish:
    case EventKind::ping:
    case EventKind::progress:
    case EventKind::error:
      next_.on_event(event);
      return;
  }
  if (held_->arguments.size() > setup_.held_max) {
    fail("", "a tool call is larger than its limit");
    return;
  }
  chat::Event alive;
  alive.kind = EventKind::progress;
  next_.on_event(alive);
}

void ToolCheck::release() {
  const std::string name = chat::JsonText{held_->name}.utf8();
  const chat::Tool* tool = declared_tool(setup_.tools, name);
  std::string why = "no such tool is declared";
  if (tool != nullptr) {
    const auto fitted =
        dialect::fit_arguments(tool->schema, chat::JsonText{held_->arguments}.utf8());
    if (fitted && is_repeated(*tool, fitted->json)) {
      why = "the same call gave the same result before; try something else or answer";
    } else if (fitted) {
      if (fitted->fit == dialect::Fit::repaired) {
        log::info("call of {} repaired", chat::escape(name));
      }
      pass_call(*tool, fitted->json);
      held_.reset();
      return;
    }
    if (!fitted) why = fitted.error().message;
  }
  switch (setup_.broken) {
    case BrokenCall::ask_again:
      fail(kBrokenCall, fmt::format("the model's call of {} is not usable: {}", name, why));
      break;
    case BrokenCall::tell:
      tell(why);
      break;
  }
  held_.reset();
}

bool ToolCheck::is_repeated(const chat::Tool& tool, std::string_view arguments) const {
  return setup_.repeated && tool.name.utf8() == setup_.repeated->name &&
         same_arguments(arguments, setup_.repeated->arguments);
}

void ToolCheck::pass_call(const chat::Tool& tool, std::string_view arguments) {
  passed_ = true;
  chat::Event start = block_event(EventKind::block_start, held_->index, BlockKind::tool);
  start.id = {held_->id};
  start.name = tool.name;
  next_.on_event(start);
  const std::string escaped = chat::escape(arguments);
  chat::Event delta = block_event(EventKind::delta, held_->index, BlockKind::tool);
  delta.delta = chat::DeltaKind::arguments;
  delta.text = {escaped};
  next_.on_event(delta);
  next_.on_event(block_event(EventKind::block_stop, held_->index, BlockKind::tool));
}

void ToolCheck::tell(const std::string& why) {
  told_ = true;
  const std::string text =
      fmt::format("[The local model's call of the tool {} is not usable: {}. It said: {}]",
                  held_->name, chat::escape(why), held_->arguments);
  next_.on_event(block_event(EventKind::block_start, held_->index, BlockKind::text));
  chat::Event delta = block_event(EventKind::delta, held_->index, BlockKind::text);
  delta.text = {text};
  next_.on_event(delta);
  next_.on_event(block_event(EventKind::block_stop, held_->index, BlockKind::text));
}

void ToolCheck::fail(std::string_view type, const std::string& message) {
  failed_ = true;
  chat::Event event;
  event.kind = EventKind::error;
  event.error_type = type;
  event.error_message = chat::escape(message);  // it goes to the log, and names what a model made
  next_.on_event(event);
}

}  // namespace nl::gateway
