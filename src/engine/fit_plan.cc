#include "engine/fit_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/memory_rule.h"

namespace nl::engine {
namespace {

constexpr std::uint64_t kMiB = 1ULL << 20;
constexpr std::uint64_t kGiB = 1ULL << 30;
constexpr std::uint64_t kCacheRamMax = 2 * kGiB;
constexpr std::uint32_t kContextRoomy = 65536;
constexpr std::uint32_t kContextLarge = 131072;
// A smaller pool is shared with a desktop, and reads slowly as well.
constexpr std::uint64_t kPoolForRoomy = 20 * kGiB;

// Large checkpoints are few: a window of the largest models takes 800 MiB.
int usual_checkpoints(const GgufFacts& facts) {
  const std::uint64_t each = checkpoint_bytes(facts);
  if (each <= 32 * kMiB) return 8;
  return each <= 400 * kMiB ? 3 : 2;
}

std::string gib(std::uint64_t bytes) {
  return fmt::format("{:.1f} GiB", static_cast<double>(bytes) / static_cast<double>(kGiB));
}

class Fitting {
 public:
  Fitting(const FitQuestion& question, Placement placement)
      : question_(question), asked_(question.context_tokens > 0) {
    const Machine& machine = question.machine;
    plan_.placement = placement;
    plan_.slots = std::clamp(question.slots, 1, 64);
    // All cores spin at barriers: one busy neighbour would make every token late.
    plan_.threads = std::max(1, machine.physical_cores - 1);
    plan_.checkpoints = usual_checkpoints(question.facts);
    plan_.cache_ram_mib = std::min(kCacheRamMax, memory_of(machine) / 20) / kMiB;
    const bool on_gpu = placement != Placement::memory;
    if (on_gpu) plan_.devices = static_cast<int>(machine.gpus.size());
    plan_.batch_tokens = on_gpu || machine.unified ? 512 : 256;
    keeps_projector_ = question.projector_bytes > 0;
    set_context(asked_ ? question.context_tokens : kContextUsual);
  }

  std::optional<FitResult> run(Effort effort) {
    bool found = try_roomy() || (effort >= Effort::usual && try_usual()) ||
                 (effort >= Effort::shrunk && try_shrunk()) ||
                 (effort >= Effort::last && try_last());
    if (!found) return std::nullopt;
    plan_.note = note();
    plan_.memory_bytes_needed = memory_needed(question_.facts, plan_, projector());
    return FitResult{plan_, keeps_projector_};
  }
  // What the last attempt would have taken.
  MemoryNeed need() const { return memory_need(question_.facts, plan_, projector()); }
  const LaunchPlan& plan() const { return plan_; }

 private:
  static std::uint64_t memory_of(const Machine& machine) {
    const std::uint64_t limit = machine.memory_limit_bytes;
    return limit == 0 ? machine.memory_bytes : std::min(machine.memory_bytes, limit);
  }
  std::uint64_t projector() const { return keeps_projector_ ? question_.projector_bytes : 0; }
  void set_context(std::uint32_t tokens) {
    plan_.context_tokens = std::min(tokens, question_.facts.context_length);
  }
  // A context that was asked for is kept whole until it has failed.
  bool keeps_context() const { return asked_ && question_.rooms.both == 0; }
  void shorten(std::uint32_t tokens) {
    if (!keeps_context()) set_context(std::min(plan_.context_tokens, tokens));
  }

  // Experts leave the device layer by layer until the rest fits.
  void spill() {
    plan_.cpu_moe_layers = 0;
    if (plan_.placement != Placement::experts_in_memory) return;
    const auto most = static_cast<int>(question_.facts.block_count);
    while (plan_.cpu_moe_layers < most && need().device > question_.rooms.device) {
      ++plan_.cpu_moe_layers;
    }
  }
  bool fits() {
    spill();
    const MemoryNeed now = need();
    const Rooms& rooms = question_.rooms;
    const bool within = rooms.both == 0 || now.host + now.device <= rooms.both;
    return within && now.host <= rooms.host && now.device <= rooms.device;
  }

  std::uint32_t roomy_context() const {
    const bool large_pool =
        question_.machine.unified && question_.machine.memory_bytes >= kPoolForRoomy;
    return plan_.placement == Placement::memory && !large_pool ? kContextUsual : kContextRoomy;
  }
  bool try_roomy() {
    if (asked_) return fits() || (!keeps_context() && try_halves());
    const bool gpu_alone = plan_.placement == Placement::devices;
    const std::uint32_t roomy = roomy_context();
    if (gpu_alone) {
      // The largest only where an eighth stays free: a GPU has others to serve.
      set_context(kContextLarge);
      const MemoryNeed now = need();
      if (fits() && now.device <= question_.rooms.device / 8 * 7) return true;
    }
    set_context(roomy);
    return fits();
  }
  bool try_halves() {
    plan_.cache_ram_mib = 0;
    for (;;) {
      if (fits()) return true;
      if (plan_.context_tokens <= kContextUsual) return false;
      shorten(std::max(plan_.context_tokens / 2, kContextUsual));
    }
  }
  bool try_usual() {
    shorten(kContextUsual);
    if (fits()) return true;
    plan_.cache_ram_mib = 0;
    return fits();
  }
  bool try_shrunk() {
    const LaunchPlan before = plan_;
    shorten(kContextSmaller);
    if (fits()) return true;
    plan_.slots = 1;
    if (!fits()) keeps_projector_ = false;
    if (!fits()) plan_.checkpoints = std::min(plan_.checkpoints, 1);
    if (!fits()) return false;
    give_back(before);
    return true;
  }
  // What was given up before the thing that was in the way.
  void give_back(const LaunchPlan& before) {
    const auto keep_if_it_fits = [this](auto&& change) {
      const LaunchPlan kept = plan_;
      change();
      if (!fits()) {
        plan_ = kept;
        fits();
      }
    };
    keep_if_it_fits([&] { plan_.context_tokens = before.context_tokens; });
    keep_if_it_fits([&] { plan_.slots = before.slots; });
    keep_if_it_fits([&] { plan_.checkpoints = before.checkpoints; });
  }
  bool try_last() {
    plan_.cache_ram_mib = 0;
    plan_.slots = 1;
    plan_.checkpoints = std::min(plan_.checkpoints, 1);
    keeps_projector_ = false;
    shorten(kContextMin);
    if (fits()) return true;
    if (question_.facts.lookup_bytes > 0) plan_.lazy = LazyRows::on;
    return fits();
  }

  std::string note() const {
    std::string text;
    const auto add = [&text](std::string_view what) {
      if (!text.empty()) text += ", ";
      text += what;
    };
    if (plan_.cache_ram_mib == 0) add("no cache of earlier prompts");
    const std::uint32_t whole = asked_ ? question_.context_tokens : kContextUsual;
    if (plan_.context_tokens < std::min(whole, question_.facts.context_length)) {
      add("a shorter context");
    }
    if (plan_.slots < question_.slots) add("one slot");
    if (!keeps_projector_ && question_.projector_bytes > 0) add("no images");
    if (plan_.checkpoints < usual_checkpoints(question_.facts)) add("one checkpoint");
    if (plan_.lazy == LazyRows::on) add("embeddings read from disk");
    return text.empty() ? text : "memory is short: " + text;
  }

  FitQuestion question_;
  LaunchPlan plan_;
  bool keeps_projector_ = false;
  bool asked_;
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

constexpr std::array<Placement, 3> kPlacements = {Placement::devices, Placement::experts_in_memory,
                                                  Placement::memory};

}  // namespace

Rooms rooms_of(const Machine& machine, std::uint64_t memory_bytes_most) {
  return {memory_for_engine(machine), device_memory_for_engine(machine), memory_bytes_most};
}

bool offers(const Machine& machine, const GgufFacts& facts, Placement placement) {
  switch (placement) {
    case Placement::memory:
      return true;
    case Placement::devices:
      return has_gpu_memory(machine);
    case Placement::experts_in_memory:
      return has_gpu_memory(machine) && facts.expert_bytes > 0;
  }
  return false;
}

std::optional<FitResult> fit(const FitQuestion& question, Placement placement, Effort effort) {
  if (!offers(question.machine, question.facts, placement)) return std::nullopt;
  return Fitting(question, placement).run(effort);
}

Result<LaunchPlan> plan_launch(const Wanted& wanted, const GgufFacts& facts, const Machine& machine,
                               std::uint64_t projector_bytes) {
  const auto kind = refuse_kind(wanted, facts);
  if (!kind) return std::unexpected(kind.error());
  const FitQuestion question{facts,           machine,
                             projector_bytes, wanted.context_tokens,
                             wanted.slots,    rooms_of(machine, wanted.memory_bytes_most)};
  const auto finish = [&](const FitResult& found) {
    LaunchPlan plan = found.plan;
    plan.program = wanted.programs.empty() ? "" : wanted.programs.front();
    plan.model = wanted.model;
    plan.projector = found.keeps_projector ? wanted.projector : "";
    plan.memory_bytes_max = wanted.memory_bytes_max;
    return plan;
  };
  for (const Placement placement : kPlacements) {
    // A GPU that would hold it with a short context only is still faster than memory.
    const Effort most = placement == Placement::memory ? Effort::last : Effort::shrunk;
    if (const auto found = fit(question, placement, most)) return finish(*found);
  }
  Fitting last(question, Placement::memory);
  last.run(Effort::last);
  return fail(ErrorCode::config,
              fmt::format("{}: needs about {} with {} tokens of context, this machine can spare "
                          "{}; `nightlight pull` finds one that fits",
                          wanted.model, gib(last.need().host), last.plan().context_tokens,
                          gib(question.rooms.host)));
}

}  // namespace nl::engine
