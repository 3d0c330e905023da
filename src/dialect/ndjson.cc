#include "dialect/ndjson.h"

namespace nl::dialect {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::string_view kBlanks = " \t\r\n";
// Handed-out bytes are cut off the buffer only when they are this many and most of it.
constexpr std::size_t kCompactBytes = 16 * 1024;
// An emptied buffer larger than this is given back.
constexpr std::size_t kKeptBytes = 256 * 1024;

}  // namespace

Result<void> NdjsonFramer::feed(std::string_view bytes) {
  if (!too_long_) {
    drop_consumed();
    buffer_.append(bytes);
    if (past_byte_order_mark()) scan();
    if (buffer_.size() - line_begin_ > kNdjsonLineBytesMax) too_long_ = true;
  }
  if (!too_long_) return {};
  return fail(ErrorCode::protocol, "stream line larger than 4 MiB");
}

// Moves what is left to the front, seldom enough that every byte is moved at most once on average.
void NdjsonFramer::drop_consumed() {
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
  line_begin_ -= consumed_;
  consumed_ = 0;
}

// False while the bytes so far could be the beginning of a byte-order mark.
bool NdjsonFramer::past_byte_order_mark() {
  if (!at_start_) return true;
  const std::string_view head = std::string_view(buffer_).substr(0, kByteOrderMark.size());
  if (head.size() < kByteOrderMark.size() && kByteOrderMark.starts_with(head)) return false;
  at_start_ = false;
  if (head == kByteOrderMark) consumed_ = scanned_ = line_begin_ = kByteOrderMark.size();
  return true;
}

// Finds the line ends among the bytes that are new.
void NdjsonFramer::scan() {
  for (std::size_t at = buffer_.find('\n', scanned_); at != std::string::npos;
       at = buffer_.find('\n', at + 1)) {
    if (at + 1 - line_begin_ > kNdjsonLineBytesMax) {
      too_long_ = true;
      return;
    }
    line_begin_ = at + 1;
    ends_.push_back(line_begin_);
  }
  scanned_ = buffer_.size();
}

std::optional<SseFrame> NdjsonFramer::next() {
  while (next_end_ < ends_.size()) {
    const std::size_t begin = consumed_;
    consumed_ = ends_[next_end_++];
    if (auto frame = make_frame(begin, consumed_)) return frame;
  }
  return std::nullopt;
}

std::optional<SseFrame> NdjsonFramer::finish() {
  if (auto frame = next()) return frame;
  const std::size_t begin = consumed_;
  consumed_ = buffer_.size();
  // A beginning of a byte-order mark is no line, nor is one that was refused.
  if (too_long_ || at_start_) return std::nullopt;
  return make_frame(begin, consumed_);
}

// Nothing for a blank line.
std::optional<SseFrame> NdjsonFramer::make_frame(std::size_t begin, std::size_t end) const {
  SseFrame frame;
  frame.raw = std::string_view(buffer_).substr(begin, end - begin);
  const std::size_t first = frame.raw.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return std::nullopt;
  frame.data = frame.raw.substr(first, frame.raw.find_last_not_of(kBlanks) - first + 1);
  return frame;
}

}  // namespace nl::dialect
