#include "dialect/sse.h"

#include <cstddef>
#include <cstring>

namespace nl::dialect {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
// Handed-out bytes are cut off the buffer only when they are this many and most of it.
constexpr std::size_t kCompactBytes = 16 * 1024;
// An emptied buffer larger than this is given back.
constexpr std::size_t kKeptBytes = 256 * 1024;

// Finds CRs and LFs in order. CRs are looked for up to the next LF only, so that no byte is looked
// at more than twice, however the lines end.
class LineEnds {
 public:
  explicit LineEnds(std::string_view text, std::size_t from = 0)
      : text_(text), feed_(find('\n', from, text.size())) {}

  // The first CR or LF at or behind `from`, which does not go back from call to call; the text's
  // size if there is none.
  std::size_t next(std::size_t from) {
    if (feed_ < from) feed_ = find('\n', from, text_.size());
    return find('\r', from, feed_);
  }

 private:
  std::size_t find(char c, std::size_t from, std::size_t to) const {
    const char* base = text_.data();
    const void* hit = from < to ? std::memchr(base + from, c, to - from) : nullptr;
    return hit == nullptr ? to : static_cast<std::size_t>(static_cast<const char*>(hit) - base);
  }

  std::string_view text_;
  std::size_t feed_;
};

struct Field {
  std::string_view name;
  std::string_view value;
};

Field split_field(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return {line, {}};
  std::string_view value = line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  return {line.substr(0, colon), value};
}

}  // namespace

Result<void> SseFramer::feed(std::string_view bytes) {
  if (!too_long_) {
    drop_consumed();
    buffer_.append(bytes);
    if (past_byte_order_mark()) scan();
    if (buffer_.size() - frame_begin_ > kSseFrameBytesMax) too_long_ = true;
  }
  if (!too_long_) return {};
  return fail(ErrorCode::protocol, "stream event larger than 4 MiB");
}

// Moves what is left to the front, seldom enough that every byte is moved at most once on average.
void SseFramer::drop_consumed() {
  const std::size_t left = buffer_.size() - consumed_;
  if (left == 0 && buffer_.capacity() > kKeptBytes) {
    buffer_ = std::string();
  } else if (left == 0 || (consumed_ > kCompactBytes && consumed_ > left)) {
    buffer_.erase(0, consumed_);
  } else {
    return;
  }
  ends_.erase(ends_.begin(), ends_.begin() + static_cast<std::ptrdiff_t>(next_end_));
  next_end_ = 0;
  for (std::size_t& end : ends_) end -= consumed_;
  scanned_ -= consumed_;
  frame_begin_ -= consumed_;
  line_begin_ -= consumed_;
  after_cr_ = after_cr_ == kNowhere || after_cr_ < consumed_ ? kNowhere : after_cr_ - consumed_;
  consumed_ = 0;
}

// False while the bytes so far could be the beginning of a byte-order mark.
bool SseFramer::past_byte_order_mark() {
  if (!at_start_) return true;
  const std::string_view head = std::string_view(buffer_).substr(0, kByteOrderMark.size());
  if (head.size() < kByteOrderMark.size() && kByteOrderMark.starts_with(head)) return false;
  at_start_ = false;
  if (head == kByteOrderMark) {
    consumed_ = scanned_ = line_begin_ = frame_begin_ = kByteOrderMark.size();
  }
  return true;
}

// Finds the line ends among the bytes that are new, and with them the ends of frames.
void SseFramer::scan() {
  const std::size_t size = buffer_.size();
  LineEnds ends(buffer_, scanned_);
  for (std::size_t at = ends.next(scanned_); at < size && !too_long_; at = ends.next(at + 1)) {
    line_end(at);
  }
  scanned_ = size;
  if (after_cr_ < size) settle_blank_cr();
}

// A line ends at the CR or LF at `at`.
void SseFramer::line_end(std::size_t at) {
  const bool feed = buffer_[at] == '\n';
  if (feed && at == after_cr_) {
    line_begin_ = at + 1;
    if (blank_cr_) end_frame(at + 1);
    return;
  }
  settle_blank_cr();
  const bool blank = at == line_begin_;
  const bool lone_cr_before = at == after_cr_;
  line_begin_ = at + 1;
  if (!feed) after_cr_ = at + 1;
  if (!blank) return;
  if (feed || lone_cr_before) {
    end_frame(at + 1);
  } else {
    blank_cr_ = true;
  }
}

// No LF follows the CR of the blank line: it alone ends the frame.
void SseFramer::settle_blank_cr() {
  if (blank_cr_) end_frame(after_cr_);
}

void SseFramer::end_frame(std::size_t end) {
  blank_cr_ = false;
  if (end - frame_begin_ > kSseFrameBytesMax) {
    too_long_ = true;
    return;
  }
  frame_begin_ = end;
  ends_.push_back(end);
}

std::optional<SseFrame> SseFramer::next() {
  while (next_end_ < ends_.size()) {
    const std::size_t begin = consumed_;
    consumed_ = ends_[next_end_++];
    if (auto frame = make_frame(begin, consumed_)) return frame;
  }
  return std::nullopt;
}

std::optional<SseFrame> SseFramer::finish() {
  if (auto frame = next()) return frame;
  const std::size_t begin = consumed_;
  consumed_ = buffer_.size();
  // A beginning of a byte-order mark is no frame, nor is one that was refused.
  if (too_long_ || at_start_ || begin == consumed_) return std::nullopt;
  return make_frame(begin, consumed_);
}

std::optional<SseFrame> SseFramer::make_frame(std::size_t begin, std::size_t end) {
  SseFrame frame;
  frame.raw = std::string_view(buffer_).substr(begin, end - begin);
  bool comment = false;
  std::size_t data_lines = 0;
  LineEnds ends(frame.raw);
  std::size_t line_begin = 0;
  while (line_begin < frame.raw.size()) {
    const std::size_t line_stop = ends.next(line_begin);
    // Between the CR and LF of one line end this is an empty line more, which means nothing.
    const std::string_view line = frame.raw.substr(line_begin, line_stop - line_begin);
    line_begin = line_stop + 1;
    if (line.starts_with(':')) comment = true;
    const Field field = split_field(line);
    if (field.name == "event") frame.event = field.value;
    if (field.name != "data") continue;
    ++data_lines;
    if (data_lines == 1) {
      frame.data = field.value;
      continue;
    }
    if (data_lines == 2) joined_.assign(frame.data);
    joined_.push_back('\n');
    joined_.append(field.value);
    frame.data = joined_;
  }
  if (data_lines == 0 && !comment) return std::nullopt;
  if (data_lines == 0) frame.kind = FrameKind::comment;
  return frame;
}

}  // namespace nl::dialect
