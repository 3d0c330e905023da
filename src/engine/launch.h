// LaunchPlan: how the engine's child is started: which file, how much context, how many slots, and
// the fixed argument vector that follows from it.
//
// fit_plan.h makes plans that the memory rule allows. Nothing a client sends reaches an argument.
// Pure values; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace nl::engine {

inline constexpr std::uint32_t kContextMin = 8192;
inline constexpr std::uint32_t kContextSmaller = 16384;
inline constexpr std::uint32_t kContextUsual = 32768;
inline constexpr int kSlotsUsual = 2;

// A model on the disk.
struct ModelFiles {
  std::string model;      // absolute path of a GGUF
  std::string projector;  // that goes with it; empty = the one beside it, if any
};

// What somebody wants to have running.
struct Wanted {
  std::vector<std::string> programs;  // llama-server, best first: absolute paths, may not exist yet
  std::string model;                  // absolute path of a GGUF; may not exist yet
  std::string projector;              // that goes with it; empty = the one beside it, if any
  std::uint32_t context_tokens = 0;   // 0 = what suits model and machine
  int slots = kSlotsUsual;
  std::uint64_t memory_bytes_max = 0;  // address space of the child; 0 = no limit
  // The child may hold no more than this, whatever the machine has: what failed before needed more.
  // 0 = no such bound.
  std::uint64_t memory_bytes_most = 0;
  // To run instead, the best first, where the model itself does not fit or has failed here.
  std::vector<ModelFiles> smaller;
};

// Where weights and cache lie.
enum class Placement : std::uint8_t {
  memory,             // the machine's memory, which a unified GPU shares
  devices,            // the GPUs' own memory
  experts_in_memory,  // a GPU's own memory, but for the experts of some layers
};

// Tables of which few rows are read: kept in memory as the engine likes, or read from disk.
enum class LazyRows : std::uint8_t { automatic, on };

struct LaunchPlan {
  std::string program;
  std::string model;
  std::string projector;                         // empty = none
  std::uint32_t context_tokens = kContextUsual;  // shared by all slots
  int slots = kSlotsUsual;
  int threads = 1;
  int batch_tokens = 256;  // small: the granule in which a request can be cancelled
  int checkpoints = 8;     // per slot
  std::uint64_t cache_ram_mib = 0;
  Placement placement = Placement::memory;
  int devices = 0;         // GPUs that share it
  int cpu_moe_layers = 0;  // experts of so many layers stay in memory
  LazyRows lazy = LazyRows::automatic;
  std::uint64_t memory_bytes_max = 0;
  std::uint64_t memory_bytes_needed = 0;  // by the memory rule
  std::string note;                       // what was given up to fit; empty = nothing
};

// The child's arguments, the program first. `socket` is the path it listens on.
std::vector<std::string> arguments(const LaunchPlan& plan, const std::string& socket);

// The options among arguments() that a program must know, as its --help names them.
std::vector<std::string> needed_options();

}  // namespace nl::engine
