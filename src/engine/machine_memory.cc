// Memory and cores of this machine: /proc, control groups and sysctl.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <set>
#include <thread>
#include <utility>

#include "engine/machine_sources.h"
#ifdef __linux__
#include <sched.h>
#endif
#ifdef __APPLE__
#include <sys/sysctl.h>
#endif

namespace nl::engine {
namespace {

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::uint64_t leading_number(std::string_view text) {
  const std::size_t from = text.find_first_of("0123456789");
  if (from == std::string_view::npos) return 0;
  std::uint64_t value = 0;
  std::from_chars(text.data() + from, text.data() + text.size(), value);
  return value;
}

std::uint64_t limit_in(const std::string& path) {
  const std::string line = first_line(path);
  return line.starts_with("max") ? 0 : leading_number(line);
}

void tighten(std::uint64_t& tightest, std::uint64_t limit) {
  // Version 1 writes "no limit" as the largest number of whole pages.
  if (limit == 0 || limit > (1ULL << 60U)) return;
  tightest = tightest == 0 ? limit : std::min(tightest, limit);
}

// The tightest limit of this process's group and those above it, of both versions of groups.
std::uint64_t group_limit(const std::string& root) {
  std::ifstream groups(root + "/proc/self/cgroup");
  std::string line;
  std::uint64_t tightest = 0;
  while (std::getline(groups, line)) {
    const bool unified = line.starts_with("0::");
    const std::size_t memory = line.find(":memory:");
    if (!unified && memory == std::string::npos) continue;
    const std::string base = root + (unified ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory");
    const char* const file = unified ? "/memory.max" : "/memory.limit_in_bytes";
    std::string group = line.substr(unified ? 3 : memory + 8);
    for (;;) {
      tighten(tightest, limit_in(base + group + file));
      if (group.empty() || group == "/") break;
      group.resize(group.rfind('/'));
    }
  }
  return tightest;
}

#ifdef __APPLE__
std::uint64_t sysctl_number(const char* name) {
  std::uint64_t value = 0;
  std::size_t size = sizeof value;
  return ::sysctlbyname(name, &value, &size, nullptr, 0) == 0 ? value : 0;
}
#endif

}  // namespace

MemoryFacts read_memory(const std::string& root) {
  MemoryFacts facts;
  std::ifstream file(root + "/proc/meminfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("MemTotal:")) facts.total_bytes = leading_number(line) * 1024;
    if (line.starts_with("MemAvailable:")) facts.available_bytes = leading_number(line) * 1024;
  }
  facts.group_limit_bytes = group_limit(root);
  if (facts.total_bytes > 0 || !root.empty()) return facts;
  const long pages = ::sysconf(_SC_PHYS_PAGES);
  const long page = ::sysconf(_SC_PAGESIZE);
  if (pages > 0 && page > 0) {
    facts.total_bytes = static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page);
  }
#ifdef __APPLE__
  if (const std::uint64_t bytes = sysctl_number("hw.memsize"); bytes > 0) facts.total_bytes = bytes;
  facts.unified = sysctl_number("hw.optional.arm64") == 1;
#endif
  return facts;
}

int read_physical_cores() {
#ifdef __linux__
  cpu_set_t allowed;
  if (::sched_getaffinity(0, sizeof allowed, &allowed) == 0) {
    std::set<std::pair<std::string, std::string>> cores;
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (!CPU_ISSET(cpu, &allowed)) continue;
      const std::string folder = fmt::format("/sys/devices/system/cpu/cpu{}/topology/", cpu);
      std::string core = first_line(folder + "core_id");
      // Without a topology every processor counts as a core.
      if (core.empty()) core = fmt::format("cpu{}", cpu);
      cores.emplace(first_line(folder + "physical_package_id"), core);
    }
    if (!cores.empty()) return static_cast<int>(cores.size());
  }
#endif
  return static_cast<int>(std::max(std::thread::hardware_concurrency(), 1U));
}

std::string read_processor_name(const std::string& root) {
#ifdef __APPLE__
  if (root.empty()) {
    std::string name(128, '\0');
    std::size_t size = name.size();
    if (::sysctlbyname("machdep.cpu.brand_string", name.data(), &size, nullptr, 0) == 0) {
      return name.c_str();
    }
  }
#endif
  const std::string board = first_line(root + "/proc/device-tree/model");
  if (!board.empty()) return board.c_str();
  std::ifstream file(root + "/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("model name")) continue;
    const std::size_t colon = line.find(": ");
    return colon == std::string::npos ? "" : line.substr(colon + 2);
  }
  return "";
}

}  // namespace nl::engine
