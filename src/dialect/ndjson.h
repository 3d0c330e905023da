// NdjsonFramer: JSON lines out of bytes that arrive in any pieces.
//
// The counterpart of SseFramer for dialects that stream one JSON value per line. Feed bytes, then
// take frames until there is none. A frame's `data` is the line, its `raw` the line with its end;
// both point into the framer's buffer and die at the next feed() or next(). Lines end in LF or
// CRLF (a CR elsewhere is white space to JSON); blank lines are skipped, as is a byte-order mark at
// the start. A last line with no end behind it comes with finish(). No byte is searched twice.
// Sans-I/O; one thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "dialect/sse.h"

namespace nl::dialect {

inline constexpr std::size_t kNdjsonLineBytesMax = kSseFrameBytesMax;

class NdjsonFramer {
 public:
  // Takes a piece. Fails with ErrorCode::protocol when one line exceeds kNdjsonLineBytesMax; lines
  // before that one can still be taken.
  Result<void> feed(std::string_view bytes);
  // The next whole line, if there is one.
  std::optional<SseFrame> next();
  // After the last feed: what next() has left, then the line that had no end behind it.
  std::optional<SseFrame> finish();
  // Bytes held that are not yet handed out.
  std::size_t pending_bytes() const { return buffer_.size() - consumed_; }

 private:
  void drop_consumed();
  bool past_byte_order_mark();
  void scan();
  std::optional<SseFrame> make_frame(std::size_t begin, std::size_t end) const;

  std::string buffer_;
  std::vector<std::size_t> ends_;  // where the whole lines end, in buffer_
  std::size_t next_end_ = 0;       // the first entry of ends_ not handed out
  std::size_t consumed_ = 0;       // bytes of buffer_ handed out or skipped
  std::size_t scanned_ = 0;        // bytes of buffer_ searched for line ends
  std::size_t line_begin_ = 0;     // the first line without an end yet
  bool at_start_ = true;           // a byte-order mark may still come
  bool too_long_ = false;          // a line was over the limit: nothing more is taken
};

}  // namespace nl::dialect
