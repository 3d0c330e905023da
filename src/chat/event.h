// Event: one step of an answer, in no vendor's shape.
//
// A reader turns upstream bytes into Events, a writer turns Events into client bytes. A whole
// (non-streamed) answer is the same sequence at once. Order of a complete answer:
//   start, (block_start, delta*, block_stop)*, usage*, finish
// with ping and progress anywhere and error instead of the rest. Views die at the next feed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "chat/text.h"

namespace nl::chat {

enum class EventKind : std::uint8_t {
  start,        // the answer begins: id, model, maybe usage.input
  block_start,  // block `index` of kind `block` begins; tool blocks carry id and name
  delta,        // a piece of block `index`: text, thinking, signature or argument bytes by `block`
  block_stop,
  usage,     // counts so far; a later one replaces fields it sets
  finish,    // the terminal event, with stop reason
  ping,      // alive, not progress
  progress,  // getting on with what shows nothing yet: the prompt is being read
  error,     // the upstream says it failed: see error_type, error_message
};

enum class BlockKind : std::uint8_t { text, thinking, tool, opaque };
enum class DeltaKind : std::uint8_t { text, thinking, signature, arguments, opaque };

enum class StopReason : std::uint8_t {
  none,
  end_turn,
  tool_use,
  max_tokens,
  stop_sequence,
  refusal,
  pause,
  error,  // never clean: a failure, whatever the status was
};

// Token counts. Absent differs from zero. `input` excludes cached and cache-written tokens.
struct Usage {
  std::optional<std::int64_t> input;
  std::optional<std::int64_t> cache_read;
  std::optional<std::int64_t> cache_write;
  std::optional<std::int64_t> output;  // includes reasoning
  std::optional<std::int64_t> reasoning;

  friend bool operator==(const Usage&, const Usage&) = default;

  // Takes every field that `later` sets.
  void merge(const Usage& later) {
    if (later.input) input = later.input;
    if (later.cache_read) cache_read = later.cache_read;
    if (later.cache_write) cache_write = later.cache_write;
    if (later.output) output = later.output;
    if (later.reasoning) reasoning = later.reasoning;
  }
  // Everything the model read.
  std::int64_t input_total() const {
    return input.value_or(0) + cache_read.value_or(0) + cache_write.value_or(0);
  }
};

struct Event {
  EventKind kind = EventKind::ping;
  std::uint32_t index = 0;  // block number, dense from 0 in order of start
  BlockKind block = BlockKind::text;
  DeltaKind delta = DeltaKind::text;
  JsonText id;    // start: answer id; block_start of a tool: call id
  JsonText name;  // start: model; block_start of a tool: tool name
  JsonText text;  // delta bytes, as the inside of a JSON string
  Usage usage;    // start, usage, finish
  StopReason stop = StopReason::none;
  JsonText stop_sequence;
  std::string_view error_type;  // error: the vendor's type or code
  std::string error_message;    // error: for people
  int error_status = 0;         // error: the HTTP status it stands for, 0 = unknown
};

// True for the events that put something before the reader's eyes: the commit point.
inline bool is_content(const Event& event) {
  switch (event.kind) {
    case EventKind::block_start:
      return event.block == BlockKind::tool;
    case EventKind::delta:
      return !event.text.empty() && event.delta != DeltaKind::signature &&
             event.delta != DeltaKind::opaque;
    case EventKind::start:
    case EventKind::block_stop:
    case EventKind::usage:
    case EventKind::finish:
    case EventKind::ping:
    case EventKind::progress:
    case EventKind::error:
      return false;
  }
  return false;
}

}  // namespace nl::chat
