// TextCalls: finds tool calls that a model wrote as text and makes calls of them.
//
// Models fall back on the marks they were trained with, or on a fenced JSON object, where a call
// was due. Text is held back only from such a beginning on and for kHeldMax bytes; what turns out
// to name no declared tool, or not to fit it, goes on as the text it was. Other events pass. One
// answer; loop thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chat/event.h"
#include "chat/request.h"
#include "dialect/dialect.h"

namespace nl::gateway {

// The declared tool that `name` means: by the name that the target was told, else the only one that
// is the same but for case and underscores; null = none.
const chat::Tool* declared_tool(const std::vector<const chat::Tool*>& tools, std::string_view name);

// A call in text: `<|tool_call>call:NAME{...}<tool_call|>`, also without its end, or
// {"name": ..., "arguments": {...}}. Arguments as JSON; nothing where it is no call.
struct WrittenCall {
  std::string name;
  std::string arguments;
};
std::optional<WrittenCall> read_written_call(std::string_view text);

class TextCalls final : public dialect::EventSink {
 public:
  static constexpr std::size_t kHeldMax = 64 * 1024;

  // Both outlive this.
  TextCalls(const std::vector<const chat::Tool*>& tools, dialect::EventSink& next)
      : tools_(tools), next_(next) {}

  void on_event(const chat::Event& event) override;

 private:
  enum class Ended : std::uint8_t { no, yes };

  void text(const chat::Event& event);
  // Passes on what is decided; `ended`: no more of this block comes.
  void sift(Ended ended);
  bool take_call(std::string_view held);
  void pass_text(std::size_t bytes);
  void close_text();

  const std::vector<const chat::Tool*>& tools_;
  dialect::EventSink& next_;
  std::string held_;          // utf8, not passed on yet
  bool in_text_ = false;      // a text block of the source is open
  bool text_open_ = false;    // one is open for the reader
  bool text_passed_ = false;  // the line that goes on has begun already
  bool made_call_ = false;
  std::uint32_t next_index_ = 0;
  std::uint32_t open_index_ = 0;   // of the text block
  std::uint32_t other_index_ = 0;  // of the block of another kind that is open
};

}  // namespace nl::gateway
