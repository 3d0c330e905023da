#include "engine/machine.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#ifdef __linux__
#include <sched.h>
#endif

namespace nl::engine {
namespace {

constexpr std::uint64_t kGroupReserve = 512ULL << 20;

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::uint64_t number_in(const std::string& path) {
  const std::string line = first_line(path);
  std::uint64_t value = 0;
  std::from_chars(line.data(), line.data() + line.size(), value);
  return value;
}

// The tightest limit of this process's group and those above it (version 2 of control groups).
std::uint64_t group_limit() {
  std::ifstream groups("/proc/self/cgroup");
  std::string line;
  std::uint64_t tightest = 0;
  while (std::getline(groups, line)) {
    if (!line.starts_with("0::")) continue;
    std::string group = line.substr(3);
    for (;;) {
      const std::uint64_t limit = number_in("/sys/fs/cgroup" + group + "/memory.max");
      if (limit > 0) tightest = tightest == 0 ? limit : std::min(tightest, limit);
      if (group.empty() || group == "/") break;
      group.resize(group.rfind('/'));
    }
  }
  return tightest;
}

int physical_cores() {
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

}  // namespace

Machine read_machine() {
  Machine machine;
  const long pages = ::sysconf(_SC_PHYS_PAGES);
  const long page = ::sysconf(_SC_PAGESIZE);
  if (pages > 0 && page > 0) {
    machine.memory_bytes = static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page);
  }
  machine.memory_limit_bytes = group_limit();
  machine.physical_cores = physical_cores();
  return machine;
}

std::uint64_t memory_for_engine(const Machine& machine) {
  const std::uint64_t room = machine.memory_bytes / 4 * 3;
  if (machine.memory_limit_bytes == 0) return room;
  const std::uint64_t limit = machine.memory_limit_bytes;
  return std::min(room, limit > 2 * kGroupReserve ? limit - kGroupReserve : limit / 2);
}

}  // namespace nl::engine
