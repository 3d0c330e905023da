// The memory rule: how many bytes the engine's child will hold under a plan. There is this one
// only; the choice of a model, the start of one and what people are told all ask it.
//
// K/V cache and checkpoints follow the engine's own layout to the byte (tests/engine compares them
// with its log); computation and the process itself are bounds. Pure; any thread.
#pragma once

#include <cstdint>

#include "engine/gguf.h"
#include "engine/launch.h"

namespace nl::engine {

// Bytes of the K/V cache of `plan`, f16, unified over the slots.
std::uint64_t kv_bytes(const GgufFacts& facts, const LaunchPlan& plan);
// Bytes of one context checkpoint: the window of every layer that has one.
std::uint64_t checkpoint_bytes(const GgufFacts& facts);
// A bound for the buffers of the computation on one device.
std::uint64_t compute_bytes(const GgufFacts& facts);
// Weights that stay in memory, of all files of a split model.
std::uint64_t weight_bytes(const GgufFacts& facts, const LaunchPlan& plan);

struct MemoryNeed {
  std::uint64_t device = 0;  // of the GPUs' own memory, all together
  std::uint64_t host = 0;    // of the machine's memory
};
MemoryNeed memory_need(const GgufFacts& facts, const LaunchPlan& plan,
                       std::uint64_t projector_bytes);
// Both together.
std::uint64_t memory_needed(const GgufFacts& facts, const LaunchPlan& plan,
                            std::uint64_t projector_bytes);

}  // namespace nl::engine
