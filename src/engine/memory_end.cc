#include "engine/memory_end.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <fstream>
#include <string>

namespace nl::engine {
namespace {

// Of the engine, its back ends for graphics cards, and the C and C++ libraries; in small letters.
constexpr std::array<std::string_view, 9> kWords = {
    "out of memory",          "failed to allocate", "unable to allocate",
    "cannot allocate memory", "std::bad_alloc",     "outofdevicememory",
    "insufficient memory",    "failed to mmap",     "not enough memory",
};

}  // namespace

std::uint64_t memory_kills() {
  std::ifstream file("/proc/vmstat");
  std::uint64_t kills = 0;
  for (std::string line; std::getline(file, line);) {
    constexpr std::string_view kName = "oom_kill ";
    if (!line.starts_with(kName)) continue;
    std::from_chars(line.data() + kName.size(), line.data() + line.size(), kills);
    break;
  }
  return kills;
}

bool ended_for_memory(const ChildEnd& end, std::string_view lines, std::uint64_t kills) {
  if (end.signal == SIGKILL) return kills > 0;
  if (end.signal == 0 && end.status == 0) return false;
  std::string said(lines);
  std::transform(said.begin(), said.end(), said.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return std::any_of(kWords.begin(), kWords.end(), [&said](std::string_view words) {
    return said.find(words) != std::string::npos;
  });
}

}  // namespace nl::engine
