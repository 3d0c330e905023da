#include "engine/machine.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <filesystem>

#include "engine/machine_sources.h"

namespace nl::engine {
namespace {

constexpr double kSpeedPerCore = 12;  // GB/s

std::uint64_t free_on_disk(std::string folder) {
  // The folder may not be made yet: then what will hold it.
  std::error_code error;
  while (!folder.empty() && folder != "/" && !std::filesystem::exists(folder, error)) {
    folder = std::filesystem::path(folder).parent_path();
  }
  struct statvfs found {};
  if (folder.empty() || ::statvfs(folder.c_str(), &found) != 0) return 0;
  return static_cast<std::uint64_t>(found.f_bavail) * found.f_frsize;
}

}  // namespace

Machine read_machine(const std::string& model_folder) {
  Machine machine;
  const MemoryFacts memory = read_memory("");
  machine.memory_bytes = memory.total_bytes;
  machine.available_bytes = memory.available_bytes;
  machine.memory_limit_bytes = memory.group_limit_bytes;
  machine.unified = memory.unified;
  machine.physical_cores = read_physical_cores();
  // More threads than that would spend the group's time on waiting for each other.
  const int given = read_group_cores("");
  if (given > 0) machine.physical_cores = std::min(machine.physical_cores, given);
  machine.power = read_power("");
  machine.gpus = read_gpus("");
  machine.memory_bandwidth = known_memory_bandwidth(read_processor_name(""), machine.unified);
  Bandwidth& speed = machine.memory_bandwidth;
  if (speed.source == "assumed" && !machine.unified) {
    // Few cores cannot keep a memory busy.
    speed.gigabytes_per_second =
        std::min(speed.gigabytes_per_second, kSpeedPerCore * machine.physical_cores);
  }
  machine.gpu_bandwidth = known_gpu_bandwidth(machine.gpus);
  machine.disk_free_bytes = free_on_disk(model_folder);
  return machine;
}

std::uint64_t memory_for_engine(const Machine& machine) {
  const std::uint64_t total = machine.memory_bytes;
  std::uint64_t room = total / 4 * 3;
  if (machine.unified) room = total / 100 * 67;
  room = std::min(room, total - std::min(kMemoryReserve, total / 2));
  if (machine.memory_limit_bytes == 0) return room;
  const std::uint64_t limit = machine.memory_limit_bytes;
  return std::min(room, limit > 2 * kGroupReserve ? limit - kGroupReserve : limit / 2);
}

std::uint64_t device_memory_for_engine(const Machine& machine) {
  std::uint64_t room = 0;
  if (!has_gpu_memory(machine)) return room;
  for (const Gpu& gpu : machine.gpus) {
    room += gpu.memory_bytes - std::min(kDisplayReserve, gpu.memory_bytes);
  }
  return room;
}

bool has_gpu_memory(const Machine& machine) {
  return !machine.gpus.empty() && !machine.unified && machine.gpus_are_driven;
}

FreeMemory free_memory(const Machine& machine, std::uint64_t freed_bytes) {
  FreeMemory free;
  if (machine.available_bytes > 0) free.bytes = machine.available_bytes + freed_bytes;
  for (const Gpu& gpu : machine.gpus) {
    // What the child has of a GPU comes free as well, but cannot be told.
    free.gpu_bytes.push_back(freed_bytes > 0 ? 0 : gpu.free_bytes);
  }
  return free;
}

Machine with_free_memory(Machine machine, const FreeMemory& free) {
  if (free.bytes > 0) {
    const std::uint64_t now = free.bytes + kGroupReserve;
    const std::uint64_t limit = machine.memory_limit_bytes;
    machine.memory_limit_bytes = limit == 0 ? now : std::min(limit, now);
  }
  for (std::size_t i = 0; i < machine.gpus.size() && i < free.gpu_bytes.size(); ++i) {
    if (free.gpu_bytes[i] == 0) continue;
    Gpu& gpu = machine.gpus[i];
    gpu.memory_bytes = std::min(gpu.memory_bytes, free.gpu_bytes[i] + kDisplayReserve);
  }
  return machine;
}

}  // namespace nl::engine
