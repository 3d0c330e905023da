#include "engine/last_lines.h"

#include <algorithm>
#include <array>
#include <utility>

namespace nl::engine {
namespace {

bool speaks_of_an_error(const std::string& line) {
  constexpr std::array<std::string_view, 10> kWords = {
      "error",     "fail",   "terminate", "abort",   "assert",
      "exception", "cannot", "unable",    "invalid", "out of memory"};
  std::string low = line;
  std::transform(low.begin(), low.end(), low.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return std::any_of(kWords.begin(), kWords.end(),
                     [&](std::string_view word) { return low.find(word) != std::string::npos; });
}

bool blank(const std::string& line) {
  return line.find_first_not_of(' ') == std::string::npos;
}

}  // namespace

void LastLines::end_line() {
  std::string line = std::exchange(open_, {});
  if (blank(line)) return;
  lines_.push_back(std::move(line));
  if (lines_.size() > kLines) lines_.pop_front();
}

std::string LastLines::telling() const {
  if (!blank(open_) && speaks_of_an_error(open_)) return open_;
  const auto found = std::find_if(lines_.rbegin(), lines_.rend(), speaks_of_an_error);
  if (found != lines_.rend()) return *found;
  if (!blank(open_)) return open_;
  return lines_.empty() ? "" : lines_.back();
}

std::string LastLines::all() const {
  std::string text;
  for (const std::string& line : lines_) text += line + "\n";
  return text + open_;
}

}  // namespace nl::engine
