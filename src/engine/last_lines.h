// LastLines: what a child said last, kept small, for the reason of its end.
//
// Takes bytes as they come, keeps the last 64 lines of at most 300 characters, control characters
// replaced. Pure; one thread.
#pragma once

#include <deque>
#include <string>
#include <string_view>

namespace nl::engine {

class LastLines {
 public:
  static constexpr std::size_t kLines = 64;
  static constexpr std::size_t kLineBytes = 300;

  // Calls `each(line)` for every line that these bytes end.
  template <typename Each>
  void feed(std::string_view bytes, Each each) {
    for (const char c : bytes) {
      if (c == '\n') {
        each(std::string_view(open_));
        end_line();
      } else if (open_.size() < kLineBytes) {
        open_ += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
      }
    }
  }
  // The line that says most about why it ended: the last one that speaks of an error, else the last
  // one; empty when nothing was said.
  std::string telling() const;
  std::string all() const;

 private:
  void end_line();

  std::deque<std::string> lines_;
  std::string open_;  // not ended yet
};

}  // namespace nl::engine
