#include "engine/progress_watch.h"

#include <functional>

namespace nl::engine {
namespace {

// Whether a slot says "is_processing": true.
bool shows_work(std::string_view slots) {
  constexpr std::string_view kKey = "\"is_processing\":";
  for (std::size_t at = slots.find(kKey); at != std::string_view::npos;
       at = slots.find(kKey, at + 1)) {
    const std::size_t value = slots.find_first_not_of(' ', at + kKey.size());
    if (value != std::string_view::npos && slots.substr(value).starts_with("true")) return true;
  }
  return false;
}

}  // namespace

void ProgressWatch::begin(Instant now) {
  moved_at_ = now;
  heard_at_ = now;
  last_ = 0;
  at_work_ = false;
}

void ProgressWatch::report(std::string_view slots, Instant now) {
  const std::uint64_t digest = std::hash<std::string_view>()(slots);
  at_work_ = shows_work(slots);
  if (!at_work_ || digest != last_) moved_at_ = now;
  heard_at_ = now;
  last_ = digest;
}

bool ProgressWatch::hangs(Instant now) const {
  if (now - heard_at_ >= limits_.silent_max) return true;
  return at_work_ && heard_at_ > moved_at_ && heard_at_ - moved_at_ >= limits_.still_max;
}

}  // namespace nl::engine
