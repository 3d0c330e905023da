#include "engine/memory_rule.h"

#include <algorithm>

namespace nl::engine {
namespace {

constexpr std::uint64_t kMiB = 1ULL << 20;
constexpr std::uint64_t kBytesPerNumber = 2;  // f16
constexpr std::uint64_t kHostMost = 300 * kMiB;

std::uint64_t padded(std::uint64_t tokens) {
  return (tokens + 255) / 256 * 256;
}

bool is_window_layer(const GgufFacts& facts, std::size_t layer) {
  return layer < facts.window_layers.size() && facts.window_layers[layer] != 0;
}

// Bytes that one token takes in one layer.
std::uint64_t token_bytes(const GgufFacts& facts, std::size_t layer) {
  if (facts.kv_heads.empty()) return 0;
  const std::uint64_t heads = facts.kv_heads[std::min(layer, facts.kv_heads.size() - 1)];
  const bool window = is_window_layer(facts, layer);
  const std::uint64_t length =
      window ? std::uint64_t{facts.window_key_length} + facts.window_value_length
             : std::uint64_t{facts.key_length} + facts.value_length;
  return heads * length * kBytesPerNumber;
}

std::size_t own_kv_layers(const GgufFacts& facts) {
  return facts.block_count - std::min(facts.shared_kv_layers, facts.block_count);
}

// The process itself: vocabulary, buffers of the server, heap.
std::uint64_t process_bytes(const GgufFacts& facts) {
  return std::clamp(facts.tensor_bytes * facts.split_count / 4, 24 * kMiB, kHostMost);
}

// Experts of the first layers that stay in the machine's memory.
std::uint64_t experts_in_memory(const GgufFacts& facts, const LaunchPlan& plan) {
  if (facts.block_count == 0) return 0;
  const auto layers = static_cast<std::uint64_t>(std::max(plan.cpu_moe_layers, 0));
  return facts.expert_bytes * facts.split_count / facts.block_count *
         std::min<std::uint64_t>(layers, facts.block_count);
}

}  // namespace

std::uint64_t kv_bytes(const GgufFacts& facts, const LaunchPlan& plan) {
  const std::uint64_t context = padded(plan.context_tokens);
  const std::uint64_t window = std::min(
      context, padded(std::uint64_t{facts.sliding_window} * static_cast<std::uint64_t>(plan.slots) +
                      static_cast<std::uint64_t>(plan.batch_tokens)));
  std::uint64_t bytes = 0;
  for (std::size_t layer = 0; layer < own_kv_layers(facts); ++layer) {
    bytes += token_bytes(facts, layer) * (is_window_layer(facts, layer) ? window : context);
  }
  return bytes;
}

std::uint64_t checkpoint_bytes(const GgufFacts& facts) {
  std::uint64_t bytes = 0;
  for (std::size_t layer = 0; layer < own_kv_layers(facts); ++layer) {
    if (is_window_layer(facts, layer)) bytes += token_bytes(facts, layer) * facts.sliding_window;
  }
  return bytes;
}

std::uint64_t compute_bytes(const GgufFacts& facts) {
  const std::uint64_t width = facts.embedding_length;
  std::uint64_t step = 1024 * kMiB;
  if (width < 5000) step = 614 * kMiB;
  if (width < 2600) step = 410 * kMiB;
  // A model of a few megabytes needs little more than the mask of its attention.
  return std::min(step, width * 384 * 1024);
}

std::uint64_t weight_bytes(const GgufFacts& facts, const LaunchPlan& plan) {
  const std::uint64_t whole = facts.tensor_bytes * facts.split_count;
  return plan.lazy == LazyRows::on ? whole - std::min(whole, facts.lookup_bytes) : whole;
}

MemoryNeed memory_need(const GgufFacts& facts, const LaunchPlan& plan,
                       std::uint64_t projector_bytes) {
  MemoryNeed need;
  const auto checkpoints = static_cast<std::uint64_t>(plan.checkpoints * plan.slots);
  need.host =
      checkpoints * checkpoint_bytes(facts) + plan.cache_ram_mib * kMiB + process_bytes(facts);
  std::uint64_t working = kv_bytes(facts, plan) + projector_bytes;
  std::uint64_t weights = weight_bytes(facts, plan);
  if (plan.placement == Placement::memory) {
    need.host += weights + working + compute_bytes(facts);
    return need;
  }
  const std::uint64_t spilled = std::min(weights, experts_in_memory(facts, plan));
  need.host += spilled;
  need.device = weights - spilled + working +
                compute_bytes(facts) * static_cast<std::uint64_t>(std::max(plan.devices, 1));
  return need;
}

std::uint64_t memory_needed(const GgufFacts& facts, const LaunchPlan& plan,
                            std::uint64_t projector_bytes) {
  const MemoryNeed need = memory_need(facts, plan, projector_bytes);
  return need.device + need.host;
}

}  // namespace nl::engine
