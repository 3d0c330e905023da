// Machine: what of memory, devices, cores and power the engine may count on; and the rooms that
// follow from it.
//
// A plain value: read_machine() fills it from the system (a few small files, and one short child
// where an NVIDIA driver is loaded), so off the loop; tests and the size table write it by hand.
// What cannot be read counts as little and is said to be unknown. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace nl::engine {

struct Gpu {
  std::string name;     // as the driver has it
  std::string backend;  // "cuda", "rocm", "vulkan"
  std::uint64_t memory_bytes = 0;
  std::uint64_t free_bytes = 0;  // 0 = not said
};

enum class PowerSource : std::uint8_t { unknown, mains, battery };

// How fast memory is read, and how that is known: "measured", "table: Apple M4 Max", "assumed".
struct Bandwidth {
  double gigabytes_per_second = 0;
  std::string source;
};

struct Machine {
  std::uint64_t memory_bytes = 0;        // of the whole machine
  std::uint64_t memory_limit_bytes = 0;  // of this process's control group; 0 = none
  int physical_cores = 1;                // that this process may use
  std::uint64_t available_bytes = 0;     // of memory, this moment; 0 = not said
  bool unified = false;                  // one pool for processor and GPU
  std::vector<Gpu> gpus;                 // with memory of their own
  bool gpus_are_driven = true;           // by the engine's program; else they are of no use
  PowerSource power = PowerSource::unknown;
  Bandwidth memory_bandwidth;
  Bandwidth gpu_bandwidth;            // of the slowest GPU
  std::uint64_t disk_free_bytes = 0;  // of the model store; 0 = not said
  // What needs no room there any more, by the names they are pulled by.
  std::vector<std::string> models_here;
  // A model that an Ollama on this machine holds in memory; empty = none.
  std::string ollama_model;
};

// `model_folder` is where models lie or would lie; empty = the disk is not looked at.
Machine read_machine(const std::string& model_folder = "");

// What is left to everything else on this machine.
inline constexpr std::uint64_t kMemoryReserve = 1280ULL << 20;
inline constexpr std::uint64_t kGroupReserve = 512ULL << 20;
inline constexpr std::uint64_t kDisplayReserve = 1ULL << 30;

// What the engine may take of the memory of `machine`: three quarters, the reserve left over, half
// a GiB less than a group's limit; two thirds of a unified pool.
std::uint64_t memory_for_engine(const Machine& machine);
// What it may take of the GPUs' own memory, all together: each less what a display needs.
std::uint64_t device_memory_for_engine(const Machine& machine);

// Whether there is a GPU's own memory to lie in.
bool has_gpu_memory(const Machine& machine);

// What of memory is free at some moment, once a running child has given back its own.
struct FreeMemory {
  std::uint64_t bytes = 0;               // 0 = not said
  std::vector<std::uint64_t> gpu_bytes;  // of each GPU; 0 = not said
};
FreeMemory free_memory(const Machine& machine, std::uint64_t freed_bytes);
// `machine` with no more memory than that: for the load of a model, not for the choice of one.
Machine with_free_memory(Machine machine, const FreeMemory& free);

}  // namespace nl::engine
