// LaunchPlan: how the engine's child is started: which file, how much context, how many slots, and
// the fixed argument vector that follows from it.
//
// plan_launch() is the memory rule: weights, K/V cache, context checkpoints and prompt cache of the
// plan must fit what the machine can spare, or the plan shrinks in a fixed order, or it is refused
// with the numbers. Nothing a client sends reaches an argument. Pure values; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/gguf.h"
#include "engine/machine.h"

namespace nl::engine {

inline constexpr std::uint32_t kContextMin = 8192;
inline constexpr std::uint32_t kContextUsual = 32768;
inline constexpr int kSlotsUsual = 2;

// What somebody wants to have running.
struct Wanted {
  std::vector<std::string> programs;  // llama-server, best first: absolute paths, may not exist yet
  std::string model;                  // absolute path of a GGUF; may not exist yet
  std::string projector;              // that goes with it; empty = the one beside it, if any
  std::uint32_t context_tokens = 0;   // 0 = what suits model and machine
  int slots = kSlotsUsual;
  std::uint64_t memory_bytes_max = 0;  // address space of the child; 0 = no limit
  int steps_down = 0;                  // how often this model has run out of memory here
};

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
  std::uint64_t memory_bytes_max = 0;
  std::uint64_t memory_bytes_needed = 0;  // by the rule below
  int steps_down = 0;                     // taken of those that were wanted
  std::string note;                       // what was given up to fit; empty = nothing
};

// Bytes of the K/V cache of `plan`, f16, unified over the slots.
std::uint64_t kv_bytes(const GgufFacts& facts, const LaunchPlan& plan);
// Bytes of one context checkpoint: the window of every layer that has one.
std::uint64_t checkpoint_bytes(const GgufFacts& facts);
// All of it: what the child will hold.
std::uint64_t memory_needed(const GgufFacts& facts, const LaunchPlan& plan,
                            std::uint64_t projector_bytes);

// `projector_bytes` is the size of the projector's file, 0 without one. Errors: config (a file of
// the wrong kind, or more memory than there is; the message says what to do).
Result<LaunchPlan> plan_launch(const Wanted& wanted, const GgufFacts& facts, const Machine& machine,
                               std::uint64_t projector_bytes);

// Gives up the next thing after memory ran out: half the context to 16,384 tokens and the cache of
// earlier prompts, then all slots but one, images, half the context to 8,192, checkpoints. False =
// nothing is left to give up.
bool step_down(LaunchPlan& plan);

// The child's arguments, the program first. `socket` is the path it listens on.
std::vector<std::string> arguments(const LaunchPlan& plan, const std::string& socket);

// The options among arguments() that a program must know, as its --help names them.
std::vector<std::string> needed_options();

}  // namespace nl::engine
