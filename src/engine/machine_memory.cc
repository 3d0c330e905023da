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

// Calls `look` with the folder of this process's control group and with those above it, in both
// versions of groups (true: the second), for what `controller` holds.
template <typename Look>
void each_group(const std::string& root, std::string_view controller, const Look& look) {
  std::ifstream groups(root + "/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const std::size_t names = line.find(':');
    const std::size_t path = line.find(':', names + 1);
    if (names == std::string::npos || path == std::string::npos) continue;
    // The first version lists its controllers: "5:cpu,cpuacct:/box".
    const std::string listed = "," + line.substr(names + 1, path - names - 1) + ",";
    const bool unified = line.starts_with("0::");
    if (!unified && listed.find(fmt::format(",{},", controller)) == std::string::npos) continue;
    const std::string base =
        root + "/sys/fs/cgroup" + (unified ? "" : fmt::format("/{}", controller));
    for (std::string group = line.substr(path + 1);;) {
      look(base + group, unified);
      if (group.empty() || group == "/") break;
      group.resize(group.rfind('/'));
    }
  }
}

// The tightest limit of this process's group and those above it.
std::uint64_t group_limit(const std::string& root) {
  std::uint64_t tightest = 0;
  each_group(root, "memory", [&](const std::string& folder, bool unified) {
    tighten(tightest, limit_in(folder + (unified ? "/memory.max" : "/memory.limit_in_bytes")));
  });
  return tightest;
}

// "400000 100000" -> 4; 0 = no limit ("max 100000", or -1 in the first version).
int cores_of(const std::string& quota, std::uint64_t period) {
  if (quota.starts_with("max") || quota.starts_with('-')) return 0;
  const std::uint64_t given = leading_number(quota);
  if (given == 0 || period == 0) return 0;
  return static_cast<int>(std::clamp<std::uint64_t>((given + period - 1) / period, 1, 4096));
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

int read_group_cores(const std::string& root) {
  int tightest = 0;
  each_group(root, "cpu", [&](const std::string& folder, bool unified) {
    const std::string quota = first_line(folder + (unified ? "/cpu.max" : "/cpu.cfs_quota_us"));
    const std::size_t gap = quota.find(' ');
    const std::string period = unified ? quota.substr(std::min(gap, quota.size()))
                                       : first_line(folder + "/cpu.cfs_period_us");
    const int cores = cores_of(quota, leading_number(period));
    if (cores > 0) tightest = tightest == 0 ? cores : std::min(tightest, cores);
  });
  return tightest;
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
