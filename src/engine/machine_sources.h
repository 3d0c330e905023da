// Where the facts of a Machine come from: one reader per kind, each over few files or calls.
//
// `root` stands before every path, so that tests lay out a system of their own; "" is this one.
// Nothing here fails: what cannot be read comes back as zero, none or unknown. Blocks briefly (the
// NVIDIA driver is asked by a child, two seconds at most); off the loop. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/machine.h"

namespace nl::engine {

struct MemoryFacts {
  std::uint64_t total_bytes = 0;
  std::uint64_t available_bytes = 0;
  std::uint64_t group_limit_bytes = 0;
  bool unified = false;
};
MemoryFacts read_memory(const std::string& root);

// Cores that this process may run on; two threads of one core count once.
int read_physical_cores();
// As many cores' time as the control group gives this process, rounded up; 0 = all there is.
int read_group_cores(const std::string& root);
// "Apple M4 Max", "Raspberry Pi 5 Model B", "AMD Ryzen 9 7950X"; empty = not said.
std::string read_processor_name(const std::string& root);

PowerSource read_power(const std::string& root);

// Devices with memory of their own: NVIDIA's by its tool, AMD's by sysfs. Others (Intel, and what
// Vulkan alone would find) are not listed: their memory cannot be told without loading a driver.
std::vector<Gpu> read_gpus(const std::string& root);
// One line per device of `nvidia-smi --query-gpu=name,memory.total,memory.free`, in MiB.
std::vector<Gpu> parse_nvidia(std::string_view text);

// By table; "assumed" where the name is in none.
Bandwidth known_memory_bandwidth(std::string_view processor, bool unified);
Bandwidth known_gpu_bandwidth(const std::vector<Gpu>& gpus);

}  // namespace nl::engine
