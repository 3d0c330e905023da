#include "engine/launch.h"

#include <fmt/format.h>

#include <algorithm>

namespace nl::engine {
namespace {

constexpr std::uint64_t kMiB = 1ULL << 20;
constexpr std::uint64_t kGiB = 1ULL << 30;
constexpr std::uint64_t kBytesPerNumber = 2;  // f16
constexpr std::uint32_t kContextSmaller = 16384;
constexpr std::uint64_t kCacheRamMax = 2 * kGiB;

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

// Buffers of the computation grow with the model: 1.0 GiB for the largest of a family.
std::uint64_t compute_bytes(const GgufFacts& facts) {
  const std::uint64_t weights = facts.tensor_bytes * facts.split_count;
  return std::clamp(weights / 16, 16 * kMiB, kGiB);
}

// The process itself: vocabulary, buffers of the server, heap.
std::uint64_t host_bytes(const GgufFacts& facts) {
  return std::clamp(facts.tensor_bytes * facts.split_count / 4, 24 * kMiB, 300 * kMiB);
}

// Large checkpoints are few: a window of the largest models takes 800 MiB.
int usual_checkpoints(const GgufFacts& facts) {
  const std::uint64_t each = checkpoint_bytes(facts);
  if (each <= 32 * kMiB) return 8;
  return each <= 400 * kMiB ? 3 : 2;
}

std::string gib(std::uint64_t bytes) {
  return fmt::format("{:.1f} GiB", static_cast<double>(bytes) / static_cast<double>(kGiB));
}

// Gives up one thing after the other until the plan fits; false = it never does.
class Shrinking {
 public:
  Shrinking(LaunchPlan& plan, const GgufFacts& facts, std::uint64_t projector_bytes)
      : plan_(plan), facts_(facts), projector_bytes_(projector_bytes) {}

  std::uint64_t needed() const { return memory_needed(facts_, plan_, projector_bytes_); }

  bool fit(std::uint64_t room, std::uint32_t context_least) {
    if (needed() <= room) return true;
    plan_.cache_ram_mib = 0;
    if (needed() <= room) return told("no cache of earlier prompts");
    shorten(std::max(context_least, kContextSmaller));
    if (needed() <= room) return told("a shorter context");
    plan_.slots = 1;
    if (needed() <= room) return told("a shorter context and one slot");
    if (!plan_.projector.empty()) {
      plan_.projector.clear();
      projector_bytes_ = 0;
      if (needed() <= room) return told("a shorter context, one slot and no images");
    }
    plan_.checkpoints = std::min(plan_.checkpoints, 1);
    shorten(std::max(context_least, kContextMin));
    return needed() <= room && told("a short context and one slot only");
  }

 private:
  void shorten(std::uint32_t to) { plan_.context_tokens = std::min(plan_.context_tokens, to); }
  bool told(std::string_view what) {
    plan_.note = fmt::format("memory is short: {}", what);
    return true;
  }

  LaunchPlan& plan_;
  const GgufFacts& facts_;
  std::uint64_t projector_bytes_;
};

Result<void> refuse_kind(const Wanted& wanted, const GgufFacts& facts) {
  switch (facts.kind) {
    case GgufKind::model:
      return {};
    case GgufKind::projector:
      return fail(ErrorCode::config,
                  wanted.model + ": is a projector (mmproj); name the model that it belongs to");
    case GgufKind::monolithic:
      return fail(ErrorCode::config,
                  wanted.model +
                      ": holds the projector's tensors inside, as Ollama packs them; "
                      "serve it with Ollama, or `nightlight pull` the separate files");
  }
  return {};
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

std::uint64_t memory_needed(const GgufFacts& facts, const LaunchPlan& plan,
                            std::uint64_t projector_bytes) {
  const std::uint64_t weights = facts.tensor_bytes * facts.split_count + projector_bytes;
  const auto checkpoints = static_cast<std::uint64_t>(plan.checkpoints * plan.slots);
  return weights + kv_bytes(facts, plan) + compute_bytes(facts) +
         checkpoints * checkpoint_bytes(facts) + plan.cache_ram_mib * kMiB + host_bytes(facts);
}

Result<LaunchPlan> plan_launch(const Wanted& wanted, const GgufFacts& facts, const Machine& machine,
                               std::uint64_t projector_bytes) {
  const auto kind = refuse_kind(wanted, facts);
  if (!kind) return std::unexpected(kind.error());
  LaunchPlan plan;
  plan.program = wanted.programs.empty() ? "" : wanted.programs.front();
  plan.model = wanted.model;
  if (projector_bytes > 0) plan.projector = wanted.projector;
  plan.memory_bytes_max = wanted.memory_bytes_max;
  plan.slots = std::clamp(wanted.slots, 1, 64);
  // All cores spin at barriers: one busy neighbour would make every token late.
  plan.threads = std::max(1, machine.physical_cores - 1);
  plan.checkpoints = usual_checkpoints(facts);
  const std::uint64_t room = memory_for_engine(machine);
  plan.cache_ram_mib = std::min(kCacheRamMax, machine.memory_bytes / 20) / kMiB;
  // A context that was asked for is kept whole.
  const bool asked = wanted.context_tokens > 0;
  const std::uint32_t most = facts.context_length;
  plan.context_tokens = std::min(asked ? wanted.context_tokens : kContextUsual, most);

  Shrinking shrinking(plan, facts, projector_bytes);
  const bool fits = shrinking.fit(room, asked ? plan.context_tokens : kContextMin);
  plan.memory_bytes_needed = shrinking.needed();
  if (!fits) {
    return fail(
        ErrorCode::config,
        fmt::format("{}: needs about {} with {} tokens of context, this machine can spare "
                    "{}; `nightlight pull` finds one that fits",
                    wanted.model, gib(plan.memory_bytes_needed), plan.context_tokens, gib(room)));
  }
  for (int i = 0; i < wanted.steps_down && step_down(plan); ++i) ++plan.steps_down;
  if (plan.steps_down > 0) {
    plan.note = fmt::format("memory ran out before: {} tokens of context, {} {}{}",
                            plan.context_tokens, plan.slots, plan.slots == 1 ? "slot" : "slots",
                            plan.projector.empty() && projector_bytes > 0 ? ", no images" : "");
    plan.memory_bytes_needed =
        memory_needed(facts, plan, plan.projector.empty() ? 0 : projector_bytes);
  }
  return plan;
}

bool step_down(LaunchPlan& plan) {
  const auto halve = [&plan](std::uint32_t least) {
    plan.cache_ram_mib = 0;
    plan.context_tokens = std::max(plan.context_tokens / 2, least);
    return true;
  };
  if (plan.context_tokens > kContextSmaller) return halve(kContextSmaller);
  if (plan.slots > 1) {
    plan.cache_ram_mib = 0;
    plan.slots = 1;
    return true;
  }
  if (!plan.projector.empty()) {
    plan.projector.clear();
    return true;
  }
  if (plan.context_tokens > kContextMin) return halve(kContextMin);
  if (plan.checkpoints <= 1 && plan.cache_ram_mib == 0) return false;
  plan.cache_ram_mib = 0;
  plan.checkpoints = std::min(plan.checkpoints, 1);
  return true;
}

std::vector<std::string> arguments(const LaunchPlan& plan, const std::string& socket) {
  std::vector<std::string> out = {plan.program, "--model", plan.model};
  if (!plan.projector.empty()) {
    out.emplace_back("--mmproj");
    out.push_back(plan.projector);
  }
  const std::string batch = std::to_string(plan.batch_tokens);
  const std::vector<std::string> rest = {
      "--host",
      socket,
      "--offline",
      "--no-ui",
      "--ctx-size",
      std::to_string(plan.context_tokens),
      "--parallel",
      std::to_string(plan.slots),
      "--kv-unified",
      "--batch-size",
      batch,
      "--ubatch-size",
      batch,
      "--threads",
      std::to_string(plan.threads),
      "--ctx-checkpoints",
      std::to_string(plan.checkpoints),
      "--cache-ram",
      std::to_string(plan.cache_ram_mib),
      "--slots",
      "--metrics",
      "--no-context-shift",
      "--jinja",
      // A conversation that ends in the assistant's words is taken as it is, not gone on with.
      "--no-prefill-assistant",
  };
  out.insert(out.end(), rest.begin(), rest.end());
  return out;
}

std::vector<std::string> needed_options() {
  std::vector<std::string> options = {"--mmproj"};
  LaunchPlan plan;
  for (const std::string& argument : arguments(plan, "")) {
    if (argument.starts_with("--")) options.push_back(argument);
  }
  return options;
}

}  // namespace nl::engine
