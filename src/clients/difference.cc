#include "clients/difference.h"

#include <algorithm>
#include <vector>

#include "clients/masking.h"

namespace nl::clients {
namespace {

// Above it only what lies between the common ends of both texts is told apart.
constexpr std::size_t kTableMax = 4'000'000;

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return lines;
}

void add_line(std::string& out, char sign, std::string_view line) {
  out += sign;
  out += ' ';
  for (const char c : masked(line)) {
    if (c == '\n' || c == '\r') continue;
    const bool is_control = (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
    out += is_control ? '?' : c;
  }
  out += '\n';
}

// The lengths of the longest common runs of what is left of both, by how far each was read.
class CommonRuns {
 public:
  CommonRuns(const std::vector<std::string_view>& old, const std::vector<std::string_view>& now)
      : columns_(now.size() + 1) {
    if ((old.size() + 1) * columns_ > kTableMax) return;
    lengths_.assign((old.size() + 1) * columns_, 0);
    for (std::size_t i = old.size(); i-- > 0;) {
      for (std::size_t j = now.size(); j-- > 0;) {
        lengths_[i * columns_ + j] =
            old[i] == now[j] ? at(i + 1, j + 1) + 1 : std::max(at(i + 1, j), at(i, j + 1));
      }
    }
  }
  std::size_t at(std::size_t i, std::size_t j) const {
    return lengths_.empty() ? 0 : lengths_[i * columns_ + j];
  }
  bool known() const { return !lengths_.empty(); }

 private:
  std::size_t columns_;
  std::vector<std::size_t> lengths_;
};

}  // namespace

std::string difference(std::string_view before, std::string_view after) {
  std::vector<std::string_view> old = lines_of(before);
  std::vector<std::string_view> now = lines_of(after);
  std::size_t head = 0;
  while (head < old.size() && head < now.size() && old[head] == now[head]) ++head;
  std::string out;
  if (head > 0) add_line(out, ' ', old[head - 1]);
  old.erase(old.begin(), old.begin() + static_cast<std::ptrdiff_t>(head));
  now.erase(now.begin(), now.begin() + static_cast<std::ptrdiff_t>(head));
  std::string_view landmark;
  while (!old.empty() && !now.empty() && old.back() == now.back()) {
    landmark = old.back();
    old.pop_back();
    now.pop_back();
  }
  const CommonRuns common(old, now);
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < old.size() || j < now.size()) {
    const bool is_common = common.known() && i < old.size() && j < now.size() && old[i] == now[j];
    if (is_common) {
      add_line(out, ' ', old[i++]);
      ++j;
    } else if (i < old.size() && (j == now.size() || common.at(i + 1, j) >= common.at(i, j + 1))) {
      add_line(out, '-', old[i++]);
    } else {
      add_line(out, '+', now[j++]);
    }
  }
  if (!landmark.empty()) add_line(out, ' ', landmark);
  return out;
}

}  // namespace nl::clients
