#include "gateway/text_calls.h"

#include <algorithm>

#include "base/log.h"
#include "base/random.h"
#include "dialect/json.h"
#include "dialect/tool_name.h"
#include "dialect/tool_schema.h"
#include "gateway/call_marks.h"

namespace nl::gateway {
namespace {

using chat::BlockKind;
using chat::EventKind;

constexpr std::string_view kFence = "```";

// Where text may begin to be a call; npos = nowhere.
std::size_t beginning_of_call(std::string_view text, bool at_line_start) {
  const std::size_t mark = text.find(kCallMark.substr(0, 2));
  std::size_t fence = text.find(kFence);
  while (fence != std::string_view::npos) {
    const bool line = fence == 0 ? at_line_start : text[fence - 1] == '\n';
    if (line) break;
    fence = text.find(kFence, fence + 1);
  }
  return std::min(mark, fence);
}

// Whether `text`, which begins as a call does, may still become one.
enum class Hope : std::uint8_t { none, open, complete };

Hope hope_of_mark(std::string_view text) {
  const std::size_t shared = std::min(text.size(), kCallMark.size());
  if (text.substr(0, shared) != kCallMark.substr(0, shared)) return Hope::none;
  return text.find(kCallEnd) == std::string_view::npos ? Hope::open : Hope::complete;
}

// A fence around an object whose first member names a tool.
Hope hope_of_fence(std::string_view text) {
  std::string_view rest = text.substr(std::min(kFence.size(), text.size()));
  const std::size_t line = rest.find('\n');
  const std::string_view language = rest.substr(0, line);
  constexpr std::string_view kLanguages[] = {"", "json", "tool_call", "tool_code", "tool"};
  const auto begins = [&](std::string_view known) {
    return line == std::string_view::npos ? known.starts_with(language) : known == language;
  };
  if (!std::ranges::any_of(kLanguages, begins)) return Hope::none;
  if (line == std::string_view::npos) return Hope::open;
  rest.remove_prefix(line + 1);
  std::string packed;  // without white space, as far as it decides
  for (const char c : rest) {
    if (packed.size() >= 16) break;
    if (c != ' ' && c != '\n' && c != '\t' && c != '\r') packed += c;
  }
  constexpr std::string_view kBeginnings[] = {
      "{\"name\":", "{\"tool\":", "{\"tool_name\":", "{\"function\":"};
  const auto may = [&packed](std::string_view known) {
    const std::size_t shared = std::min(packed.size(), known.size());
    return packed.substr(0, shared) == known.substr(0, shared);
  };
  if (!std::ranges::any_of(kBeginnings, may)) return Hope::none;
  return rest.find("\n```") == std::string_view::npos ? Hope::open : Hope::complete;
}

Hope hope_of(std::string_view text) {
  return text.front() == '<' ? hope_of_mark(text) : hope_of_fence(text);
}

// Bytes of a complete call and its marks.
std::size_t size_of_call(std::string_view text) {
  if (text.front() == '<') return text.find(kCallEnd) + kCallEnd.size();
  return text.find("\n```", kFence.size()) + 4;
}

// How much of the end of `text` may be the start of a beginning.
std::size_t doubtful_end(std::string_view text) {
  for (std::size_t size = std::min<std::size_t>(2, text.size()); size > 0; --size) {
    const std::string_view end = text.substr(text.size() - size);
    if (kCallMark.starts_with(end) || kFence.starts_with(end)) return size;
  }
  return 0;
}

chat::Event block_event(EventKind kind, BlockKind block, std::uint32_t index) {
  chat::Event event;
  event.kind = kind;
  event.block = block;
  event.index = index;
  return event;
}

}  // namespace

const chat::Tool* declared_tool(const std::vector<const chat::Tool*>& tools,
                                std::string_view name) {
  const chat::Tool* near = nullptr;
  int matches = 0;
  for (const chat::Tool* tool : tools) {
    const std::string told = dialect::fit_tool_name(tool->name);
    if (told == name || tool->name.utf8() == name) return tool;
    if (!dialect::same_name_loosely(told, name)) continue;
    near = tool;
    ++matches;
  }
  return matches == 1 ? near : nullptr;
}

void TextCalls::on_event(const chat::Event& event) {
  const bool of_text = event.block == BlockKind::text;
  switch (event.kind) {
    case EventKind::block_start:
      if (of_text && !tools_.empty()) {
        in_text_ = true;
        text_passed_ = false;
        held_.clear();
        return;
      }
      other_index_ = next_index_++;
      break;
    case EventKind::delta:
      if (in_text_ && of_text) {
        text(event);
        return;
      }
      break;
    case EventKind::block_stop:
      if (in_text_ && of_text) {
        sift(Ended::yes);
        close_text();
        in_text_ = false;
        return;
      }
      break;
    case EventKind::finish:
      if (made_call_ && event.stop == chat::StopReason::end_turn) {
        chat::Event called = event;
        called.stop = chat::StopReason::tool_use;
        next_.on_event(called);
        return;
      }
      next_.on_event(event);
      return;
    case EventKind::start:
    case EventKind::usage:
    case EventKind::ping:
    case EventKind::progress:
    case EventKind::error:
      next_.on_event(event);
      return;
  }
  chat::Event passed = event;
  passed.index = other_index_;
  next_.on_event(passed);
}

void TextCalls::text(const chat::Event& event) {
  held_ += event.text.utf8();
  sift(Ended::no);
  if (held_.empty()) return;
  // What is held back is progress all the same.
  chat::Event alive;
  alive.kind = EventKind::progress;
  next_.on_event(alive);
}

void TextCalls::sift(Ended ended) {
  while (!held_.empty()) {
    const std::size_t at = beginning_of_call(held_, !text_passed_);
    if (at == std::string::npos) {
      const std::size_t doubt = ended == Ended::yes ? 0 : doubtful_end(held_);
      pass_text(held_.size() - doubt);
      return;
    }
    if (at > 0) pass_text(at);
    Hope hope = hope_of(held_);
    if (hope == Hope::open && (ended == Ended::yes || held_.size() > kHeldMax)) {
      // Half a call: all there will be.
      if (ended == Ended::yes && take_call(held_)) {
        held_.clear();
        return;
      }
      hope = Hope::none;
    }
    if (hope == Hope::open) return;
    if (hope == Hope::complete) {
      const std::size_t size = size_of_call(held_);
      if (take_call(std::string_view(held_).substr(0, size))) {
        held_.erase(0, size);
        const std::size_t blank = held_.find_first_not_of(" \n");
        held_.erase(0, std::min(blank, held_.size()));
        continue;
      }
    }
    pass_text(1);
  }
}

bool TextCalls::take_call(std::string_view held) {
  const std::optional<WrittenCall> written = read_written_call(held);
  if (!written) return false;
  const chat::Tool* tool = declared_tool(tools_, written->name);
  if (tool == nullptr) return false;
  if (!dialect::fit_arguments(tool->schema, written->arguments)) return false;
  log::info("a call of {} was written as text", chat::escape(written->name));
  close_text();
  made_call_ = true;
  const std::uint32_t index = next_index_++;
  const std::string id = "call_" + random_id(16);
  const std::string name = chat::escape(written->name);
  chat::Event start = block_event(EventKind::block_start, BlockKind::tool, index);
  start.id = {id};
  start.name = {name};
  next_.on_event(start);
  const std::string arguments = chat::escape(written->arguments);
  chat::Event delta = block_event(EventKind::delta, BlockKind::tool, index);
  delta.delta = chat::DeltaKind::arguments;
  delta.text = {arguments};
  next_.on_event(delta);
  next_.on_event(block_event(EventKind::block_stop, BlockKind::tool, index));
  return true;
}

void TextCalls::pass_text(std::size_t bytes) {
  if (bytes == 0) return;
  if (!text_open_) {
    open_index_ = next_index_++;
    next_.on_event(block_event(EventKind::block_start, BlockKind::text, open_index_));
    text_open_ = true;
  }
  const std::string escaped = chat::escape(std::string_view(held_).substr(0, bytes));
  chat::Event delta = block_event(EventKind::delta, BlockKind::text, open_index_);
  delta.text = {escaped};
  next_.on_event(delta);
  text_passed_ = held_[bytes - 1] != '\n';
  held_.erase(0, bytes);
}

void TextCalls::close_text() {
  if (!text_open_) return;
  next_.on_event(block_event(EventKind::block_stop, BlockKind::text, open_index_));
  text_open_ = false;
}

}  // namespace nl::gateway
