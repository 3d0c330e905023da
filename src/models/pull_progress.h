// PullProgress: how far a pull is, for people: a bar that is redrawn on a terminal, elsewhere a
// line every few seconds.
//
// Writes to standard error. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace nl::models {

struct PullFigures {
  std::string label;
  std::uint64_t there = 0;
  std::uint64_t all = 0;
  double bytes_per_second = 0;  // 0 = not known yet
};

// "model  [#####.....]  52 %  7.5 GB of 14.4 GB  41.2 MB/s  2m48s left"
std::string progress_line(const PullFigures& figures);

// The two ways to show it.
enum class PullDisplay : std::uint8_t { bar, lines };

class PullProgress {
 public:
  PullProgress(const Clock& clock, PullDisplay display)
      : clock_(clock), terminal_(display == PullDisplay::bar) {}

  void begin(std::string label);
  void update(std::uint64_t there, std::uint64_t all);
  // A line of its own that stays.
  void note(std::string_view text);
  void end();

 private:
  void show();

  const Clock& clock_;
  bool terminal_;
  bool drawn_ = false;
  PullFigures figures_;
  Instant shown_at_{};
  Instant measured_at_{};
  std::uint64_t measured_ = 0;
  bool started_ = false;
};

}  // namespace nl::models
