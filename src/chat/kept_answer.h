// KeptAnswer: an answer copied while it passes, as the message it will be in the next request.
//
// Beside the relay, for whoever wants the answer after it was sent. Takes the events of an answer
// in order and copies their texts, still escaped; blocks stay in the order in which they came.
// Bounded: an answer over kBytesMax is not kept at all. A value that can be moved; one thread at a
// time.
#pragma once

#include <cstddef>
#include <deque>
#include <string>

#include "chat/event.h"
#include "chat/request.h"

namespace nl::chat {

class KeptAnswer {
 public:
  static constexpr std::size_t kBytesMax = 4u << 20;

  void add(const Event& event);
  // The answer came to its end, and it is here whole.
  bool whole() const { return finished_ && !overflowed_; }
  std::size_t bytes() const { return bytes_; }
  // Its views point into this object. Signatures and what only one vendor knows are left out.
  Message message() const;

 private:
  struct Piece {
    BlockKind kind = BlockKind::text;
    std::string id;
    std::string name;
    std::string text;
  };

  std::deque<Piece> pieces_;
  std::size_t bytes_ = 0;
  bool finished_ = false;
  bool overflowed_ = false;
};

}  // namespace nl::chat
