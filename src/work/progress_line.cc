#include "work/progress_line.h"

#include <fmt/format.h>

#include <algorithm>

#include "work/shown.h"

namespace nl::work {
namespace {

constexpr std::size_t kBarWidth = 16;
// A line that wraps could not be written over. The narrowest usual terminal has 80 columns.
constexpr std::size_t kColumnsMax = 79;
constexpr std::size_t kTenths = 10;

// The end of a name, at most `bytes` of it.
std::string end_of(const std::string& name, std::size_t bytes) {
  if (name.size() <= bytes) return name;
  std::size_t at = name.size() - bytes + std::min<std::size_t>(bytes, 3);
  while (at < name.size() && (static_cast<unsigned char>(name[at]) & 0xc0U) == 0x80U) ++at;
  return "..." + name.substr(at);
}

std::string time_text(double seconds) {
  if (seconds < 90) return fmt::format("{:.0f} s", seconds);
  return fmt::format("{:.0f} min", seconds / 60);
}

}  // namespace

std::string bar(std::size_t done, std::size_t all, std::size_t width) {
  const std::size_t filled = all == 0 ? width : std::min(width, done * width / all);
  return "[" + std::string(filled, '=') + std::string(width - filled, ' ') + "]";
}

void ProgressLine::progress(const ResearchProgress& progress) {
  if (!first_done_) first_done_ = progress.done;
  if (watched_ == Watched::nobody) {
    const std::size_t tenth =
        progress.documents == 0 ? 0 : progress.done * kTenths / progress.documents;
    if (tenth == last_tenth_) return;
    last_tenth_ = tenth;
    fmt::print(out_, "nightlight: {} of {} documents read, {} statements\n", progress.done,
               progress.documents, progress.claims);
    std::fflush(out_);
    return;
  }
  const std::size_t now_done = progress.done - *first_done_;
  std::string left;
  if (now_done >= 3 && progress.effort.asked > 0) {
    const double took = std::chrono::duration<double>(clock_.now() - started_).count();
    const auto rest = static_cast<double>(progress.documents - progress.done);
    left = fmt::format(", {} left", time_text(took / static_cast<double>(now_done) * rest));
  }
  std::string line =
      fmt::format("{} {}/{}, {} statements{} ", bar(progress.done, progress.documents, kBarWidth),
                  progress.done, progress.documents, progress.claims, left);
  line += end_of(visible(progress.document), kColumnsMax - std::min(line.size(), kColumnsMax));
  fmt::print(out_, "\r\x1b[K{}", line);
  std::fflush(out_);
  shown_ = true;
}

void ProgressLine::note(const std::string& text) {
  clear();
  fmt::print(out_, "nightlight: {}\n", visible(text));
}

void ProgressLine::clear() {
  if (!shown_) return;
  fmt::print(out_, "\r\x1b[K");
  std::fflush(out_);
  shown_ = false;
}

}  // namespace nl::work
