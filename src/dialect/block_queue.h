// BlockQueue: pieces of an answer that arrive interleaved -> blocks that come one after another.
//
// Chat Completions numbers its calls and may send their pieces in any order, text between them; a
// block stream has no overlap. One block is open; it streams. A piece of another block closes it if
// it can be over (text, or a call whose arguments are a whole JSON value), else waits its turn.
// Part of a reader, after parsing and before the sink. Refuses to hold more than kHeldBytesMax.
// Emitted views live until begin_frame(). One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>

#include "base/error.h"
#include "chat/event.h"
#include "dialect/dialect.h"

namespace nl::dialect {

inline constexpr std::size_t kHeldBytesMax = std::size_t{4} * 1024 * 1024;
inline constexpr std::size_t kCallsMax = 256;

// Follows a JSON value that arrives in pieces, each the inside of a JSON string, far enough to know
// when it is whole. Checks nothing else.
class ArgumentScan {
 public:
  void feed(chat::JsonText piece);
  bool complete() const { return complete_; }

 private:
  void unit(char byte);

  std::uint32_t depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
  bool complete_ = false;
};

// What one chunk says of a call. Only the first piece of a call must name it.
struct CallPiece {
  std::optional<std::int64_t> index;
  chat::JsonText id;
  chat::JsonText name;
  chat::JsonText arguments;
};

class BlockQueue {
 public:
  // Lets go of what the events since the last begin_frame() pointed at.
  void begin_frame() { spent_.clear(); }
  // A piece of text or thinking; nothing when empty.
  Result<void> text(chat::BlockKind kind, chat::JsonText piece, EventSink& sink);
  // Fails with ErrorCode::protocol when a call goes on after its arguments were whole and another
  // block took over.
  Result<void> call(const CallPiece& piece, EventSink& sink);
  // Emits all that waits and closes it. Fails with ErrorCode::protocol for a call without a name.
  Result<void> close(EventSink& sink);
  bool has_calls() const { return !calls_.empty(); }

 private:
  struct Call {
    std::optional<std::int64_t> index;
    std::string id;
    std::string name;
    std::string held;  // arguments that wait for the call's turn
    ArgumentScan scan;
    bool queued = false;
    bool closed = false;
    bool wrote = false;         // arguments were emitted
    bool empty_object = false;  // "{}" came and waits: some servers send the real ones behind it
  };
  struct Waiting {
    chat::BlockKind kind;
    Call* call;        // of kind tool
    std::string text;  // of the others
  };

  Call* find(const CallPiece& piece);
  bool can_close() const;
  bool is_open(const Call& call) const;
  Result<void> hold(std::string& where, chat::JsonText piece);
  void advance(EventSink& sink);
  void open_next(EventSink& sink);
  void open(chat::BlockKind kind, EventSink& sink);
  void open_call(Call& call, EventSink& sink);
  void arguments(Call& call, chat::JsonText piece, EventSink& sink);
  void delta(chat::DeltaKind kind, chat::JsonText piece, EventSink& sink);
  void close_open(EventSink& sink);

  // Events point at ids, names and texts, so no element may move; mostly all three are empty.
  std::list<Call> calls_;
  std::list<Waiting> waiting_;
  std::optional<chat::BlockKind> open_;
  Call* open_call_ = nullptr;  // while a call is open
  std::list<std::string> spent_;
  std::size_t held_bytes_ = 0;
  std::uint32_t next_index_ = 0;
};

}  // namespace nl::dialect
