// Log: one structured line per fact, to standard error, through a small bounded path.
//
// Only allow-listed fields are written (names, codes, counts, durations): no raw URL, header, body
// or secret ever reaches a log call, and Secret has no formatter. Control characters in values are
// replaced, so a peer cannot forge a line. Any thread; never blocks on a disk.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace nl::log {

enum class Level : std::uint8_t { debug, info, warn, error };

// Lines below `level` are dropped before they are formatted.
void set_level(Level level);
bool enabled(Level level);

// Writes one line. Use the wrappers below.
void write(Level level, std::string_view text);

template <typename... Args>
void line(Level level, fmt::format_string<Args...> format, Args&&... args) {
  if (!enabled(level)) return;
  write(level, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  line(Level::debug, format, std::forward<Args>(args)...);
}
template <typename... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  line(Level::info, format, std::forward<Args>(args)...);
}
template <typename... Args>
void warn(fmt::format_string<Args...> format, Args&&... args) {
  line(Level::warn, format, std::forward<Args>(args)...);
}
template <typename... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  line(Level::error, format, std::forward<Args>(args)...);
}

}  // namespace nl::log
