#include "models/pull_progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "models/model_record.h"

namespace nl::models {
namespace {

constexpr std::size_t kBarCells = 24;
constexpr auto kRedrawEvery = std::chrono::milliseconds(200);
constexpr auto kLineEvery = std::chrono::seconds(5);
constexpr auto kMeasureEvery = std::chrono::seconds(1);
// How much of the old rate stays at each measure.
constexpr double kKept = 0.8;

std::string time_left(double seconds) {
  const auto whole = static_cast<std::uint64_t>(seconds);
  if (whole >= 3600) return fmt::format("{}h{:02}m", whole / 3600, whole % 3600 / 60);
  if (whole >= 60) return fmt::format("{}m{:02}s", whole / 60, whole % 60);
  return fmt::format("{}s", whole);
}

}  // namespace

std::string progress_line(const PullFigures& figures) {
  const double share = figures.all == 0
                           ? 1.0
                           : static_cast<double>(figures.there) / static_cast<double>(figures.all);
  const auto full = std::min(kBarCells, static_cast<std::size_t>(share * kBarCells));
  std::string line = fmt::format("{:<9} [{}{}] {:3.0f} %  {} of {}", figures.label,
                                 std::string(full, '#'), std::string(kBarCells - full, '.'),
                                 share * 100, size_text(figures.there), size_text(figures.all));
  if (figures.bytes_per_second > 0 && figures.there < figures.all) {
    const auto left = static_cast<double>(figures.all - figures.there);
    line += fmt::format("  {}/s  {} left",
                        size_text(static_cast<std::uint64_t>(figures.bytes_per_second)),
                        time_left(left / figures.bytes_per_second));
  }
  return line;
}

void PullProgress::begin(std::string label) {
  figures_ = PullFigures();
  figures_.label = std::move(label);
  started_ = false;
}

void PullProgress::update(std::uint64_t there, std::uint64_t all) {
  const Instant now = clock_.now();
  figures_.there = there;
  figures_.all = all;
  if (!started_) {
    started_ = true;
    shown_at_ = measured_at_ = now;
    measured_ = there;
    if (terminal_) show();
    return;
  }
  if (now - measured_at_ >= kMeasureEvery) {
    const double seconds = std::chrono::duration<double>(now - measured_at_).count();
    const double rate = there < measured_ ? 0 : static_cast<double>(there - measured_) / seconds;
    double& kept = figures_.bytes_per_second;
    kept = kept <= 0 ? rate : kept * kKept + rate * (1 - kKept);
    measured_at_ = now;
    measured_ = there;
  }
  const Duration every = terminal_ ? Duration(kRedrawEvery) : Duration(kLineEvery);
  if (now - shown_at_ < every) return;
  shown_at_ = now;
  show();
}

void PullProgress::show() {
  if (terminal_) {
    fmt::print(stderr, "\r{}\x1b[K", progress_line(figures_));
    std::fflush(stderr);
    drawn_ = true;
  } else {
    fmt::print(stderr, "{}\n", progress_line(figures_));
  }
}

void PullProgress::note(std::string_view text) {
  if (drawn_) fmt::print(stderr, "\r\x1b[K");
  drawn_ = false;
  fmt::print(stderr, "{}\n", text);
}

void PullProgress::end() {
  if (started_) show();
  if (drawn_) fmt::print(stderr, "\n");
  drawn_ = false;
}

}  // namespace nl::models
