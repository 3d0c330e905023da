// SseFramer: server-sent events out of bytes that arrive in any pieces.
//
// Feed bytes, then take frames until there is none. A frame's views point into the framer's buffer
// and die at the next feed() or next(). Accepts LF, CRLF and CR line ends, a byte-order mark at the
// start, comments, several data lines (joined by LF), fields it does not know, and a last frame
// with no blank line (take it with finish()). Where lines end in CRLF, a CR at the very end of the
// bytes so far waits for its LF; where they end in CR, a blank line's CR ends the frame at once. So
// the frames do not depend on the pieces. No byte is searched twice. Sans-I/O; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace nl::dialect {

inline constexpr std::size_t kSseFrameBytesMax = 4 * 1024 * 1024;

enum class FrameKind : std::uint8_t { event, comment };

struct SseFrame {
  FrameKind kind = FrameKind::event;
  std::string_view raw;    // every byte of the frame with its blank line, to pass on as it is
  std::string_view event;  // the event field, empty if none
  std::string_view data;   // data lines joined by LF
};

class SseFramer {
 public:
  // Takes a piece. Fails with ErrorCode::protocol when one frame exceeds kSseFrameBytesMax; frames
  // before that one can still be taken.
  Result<void> feed(std::string_view bytes);
  // The next whole frame, if there is one. Frames that hold only comments come as
  // FrameKind::comment; frames with neither data nor comment are skipped.
  std::optional<SseFrame> next();
  // After the last feed: what next() has left, then the frame that had no blank line behind it, if
  // it has whole lines or data.
  std::optional<SseFrame> finish();
  // Bytes held that are not yet handed out.
  std::size_t pending_bytes() const { return buffer_.size() - consumed_; }

 private:
  static constexpr std::size_t kNowhere = static_cast<std::size_t>(-1);

  void drop_consumed();
  bool past_byte_order_mark();
  void scan();
  void line_end(std::size_t at);
  void settle_blank_cr();
  void end_frame(std::size_t end);
  std::optional<SseFrame> make_frame(std::size_t begin, std::size_t end);

  std::string buffer_;
  std::string joined_;               // data of a frame with several data lines
  std::vector<std::size_t> ends_;    // where the whole frames end, in buffer_
  std::size_t next_end_ = 0;         // the first entry of ends_ not handed out
  std::size_t consumed_ = 0;         // bytes of buffer_ handed out
  std::size_t scanned_ = 0;          // bytes of buffer_ searched for line ends
  std::size_t frame_begin_ = 0;      // the first frame without an end yet
  std::size_t line_begin_ = 0;       // its last line
  std::size_t after_cr_ = kNowhere;  // behind the last CR: an LF here belongs to it
  bool blank_cr_ = false;            // that CR ended a blank line, the frame's end is not known yet
  bool at_start_ = true;             // a byte-order mark may still come
  bool too_long_ = false;            // a frame was over the limit: nothing more is taken
};

}  // namespace nl::dialect
