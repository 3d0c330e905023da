#include "engine/pick_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/memory_rule.h"

namespace nl::engine {
namespace {

constexpr double kGb = 1e9;
constexpr std::uint64_t kDiskSpare = 2'000'000'000;
constexpr double kBandwidthUse = 0.6;
// Tokens/s that a core reads of a model with 1e9 active parameters; from 71 to 84 tokens/s of E2B
// (2.3e9) on six laptop cores.
constexpr double kReadPerCore = 30;
// The same per GB/s of a GPU's memory: 4,500 of E4B (4.5e9) with 936 GB/s. A unified GPU has less
// arithmetic for its bandwidth.
constexpr double kReadPerBandwidth = 21;
constexpr double kReadPerBandwidthUnified = 8;
// An agent at work adds about 1,500 tokens a minute, and half of the time is left for reading.
constexpr double kReadPerConversation = 50;
constexpr double kReadLeast = 15;
// A conversation's share of a cache, as agents have them.
constexpr std::uint64_t kConversationTokens = 16384;

struct Try {
  const CatalogueModel* model;
  Placement placement;
};

bool is_wide(const CatalogueModel& model) {
  return model.active_parameters > 5'000'000'000;
}
bool has_experts(const CatalogueModel& model) {
  return model.expert_share > 0;
}

// Places and sizes in the order in which they are taken when they fit. A model with experts in
// memory is better than a small one on a GPU, and not as good as a large one there.
std::vector<Try> order_of(const Catalogue& catalogue) {
  std::vector<Try> tries;
  for (const CatalogueModel& model : catalogue.models) {
    if (is_wide(model) || has_experts(model)) tries.push_back({&model, Placement::devices});
  }
  for (const Placement placement : {Placement::experts_in_memory, Placement::memory}) {
    for (const CatalogueModel& model : catalogue.models) {
      if (has_experts(model)) tries.push_back({&model, placement});
    }
  }
  for (const Placement placement : {Placement::devices, Placement::memory}) {
    for (const CatalogueModel& model : catalogue.models) {
      const bool tried = placement == Placement::devices ? is_wide(model) || has_experts(model)
                                                         : has_experts(model);
      if (!tried) tries.push_back({&model, placement});
    }
  }
  return tries;
}

// With a unified pool there is one place, and the best size in it wins.
std::vector<Try> order_for(const Catalogue& catalogue, const Machine& machine) {
  if (has_gpu_memory(machine)) return order_of(catalogue);
  std::vector<Try> tries;
  for (const CatalogueModel& model : catalogue.models) tries.push_back({&model, Placement::memory});
  return tries;
}

bool has_room_on_disk(const Machine& machine, const CatalogueFile& file) {
  return machine.disk_free_bytes == 0 || machine.disk_free_bytes >= disk_needed(file.bytes) ||
         std::ranges::find(machine.models_here, file.pull) != machine.models_here.end();
}

std::uint64_t projector_of(const CatalogueModel& model, const PickWants& wants) {
  return wants.images ? model.projector_bytes : 0;
}

std::string size(double bytes) {
  return fmt::format("{:.1f} GB", bytes / kGb);
}

std::string tokens(std::uint32_t count) {
  if (count >= 1024 && count % 1024 == 0) return fmt::format("{} k", count / 1024);
  return std::to_string(count);
}

class Picking {
 public:
  Picking(const Catalogue& catalogue, const Machine& machine, const PickWants& wants)
      : catalogue_(catalogue), machine_(machine), wants_(wants) {}

  Pick run() {
    constexpr std::array<Effort, 4> kEfforts = {Effort::roomy, Effort::usual, Effort::shrunk,
                                                Effort::last};
    const std::vector<Try> tries = order_for(catalogue_, machine_);
    for (const Effort effort : kEfforts) {
      for (const Try& next : tries) {
        // A size that was asked for goes to its best place, short there rather than whole
        // elsewhere.
        const bool asked = wants_.id == next.model->id;
        const Effort most = asked ? std::max(effort, Effort::shrunk) : effort;
        if (auto pick = attempt(next, most)) return std::move(*pick);
      }
    }
    return Pick();
  }

 private:
  bool is_smallest(const CatalogueModel& model) const {
    return !wants_.id.empty() || &model == &catalogue_.models.back();
  }
  std::optional<Pick> attempt(const Try& next, Effort effort) const {
    const CatalogueModel& model = *next.model;
    if (model.files.empty() || (!wants_.id.empty() && wants_.id != model.id)) return std::nullopt;
    const CatalogueFile& file = model.files.front();
    if (!has_room_on_disk(machine_, file)) return std::nullopt;
    if (effort == Effort::last && !is_smallest(model)) return std::nullopt;
    const GgufFacts facts = facts_of(model, file);
    const FitQuestion question{facts,
                               machine_,
                               projector_of(model, wants_),
                               wants_.context_tokens,
                               wants_.slots,
                               rooms_of(machine_, 0)};
    const auto found = fit(question, next.placement, least_effort(next, effort));
    if (!found) return std::nullopt;
    Pick pick;
    pick.rates = estimate_rates(facts, model.active_parameters, found->plan, machine_);
    if (wants_.read_measured > 0) {
      pick.rates.read = wants_.read_measured;
      pick.rates.read_is_measured = true;
      if (machine_.power != PowerSource::battery) {
        pick.rates.warm_conversations = warm_conversations(pick.rates.read, facts, found->plan);
      }
    }
    const bool slow = pick.rates.write < kWriteLeast || pick.rates.read < kReadLeast;
    if (slow && !is_smallest(model)) return std::nullopt;
    pick.model = &model;
    pick.file = &file;
    pick.plan = found->plan;
    pick.projector = found->keeps_projector;
    return pick;
  }
  // Without a GPU a model with experts costs no more time than a small dense one and is far better:
  // it may be cut short before that one is considered.
  Effort least_effort(const Try& next, Effort effort) const {
    const bool bare = !has_gpu_memory(machine_) && !machine_.unified;
    return bare && has_experts(*next.model) ? std::max(effort, Effort::shrunk) : effort;
  }

  const Catalogue& catalogue_;
  const Machine& machine_;
  const PickWants& wants_;
};

std::string memory_text(const Machine& machine) {
  std::string text = size(static_cast<double>(machine.memory_bytes));
  text += machine.unified ? " of unified memory" : " of memory";
  const std::uint64_t limit = machine.memory_limit_bytes;
  if (limit > 0 && limit < machine.memory_bytes) {
    text += fmt::format(" (this group may use {})", size(static_cast<double>(limit)));
  }
  for (const Gpu& gpu : machine.gpus) {
    text += fmt::format(", {} with {}", gpu.name, size(static_cast<double>(gpu.memory_bytes)));
  }
  if (!machine.gpus.empty() && !machine.gpus_are_driven) {
    text += " (not used: this engine's program drives no GPU)";
  }
  text += fmt::format(", {} cores", machine.physical_cores);
  if (machine.power == PowerSource::battery) text += ", on battery";
  return text;
}

std::string place_text(const LaunchPlan& plan) {
  switch (plan.placement) {
    case Placement::memory:
      return "";
    case Placement::devices:
      return plan.devices > 1 ? fmt::format(" on {} GPUs", plan.devices) : " on the GPU";
    case Placement::experts_in_memory:
      return fmt::format(" on the GPU, experts of {} layers in memory", plan.cpu_moe_layers);
  }
  return "";
}

std::string warm_text(const Rates& rates, const Machine& machine) {
  if (machine.power == PowerSource::battery) return "on battery nothing is read ahead";
  if (rates.warm_conversations == 0) return "too slow to keep a conversation warm";
  return fmt::format("keeps {} conversation{} warm", rates.warm_conversations,
                     rates.warm_conversations == 1 ? "" : "s");
}

// With everything given up.
std::uint64_t least_memory(const GgufFacts& facts) {
  LaunchPlan least;
  least.slots = least.checkpoints = 1;
  least.context_tokens = kContextMin;
  least.lazy = LazyRows::on;
  return memory_needed(facts, least, 0);
}

std::string machine_line(const Machine& machine) {
  const Rooms rooms = rooms_of(machine, 0);
  std::string room = size(static_cast<double>(rooms.host));
  if (rooms.device > 0) {
    room += fmt::format(" and {} of GPU memory", size(static_cast<double>(rooms.device)));
  }
  return fmt::format("This machine: {}; a model may take {}.\n", memory_text(machine), room);
}

std::string nothing_fits(const Catalogue& catalogue, const Machine& machine) {
  std::string least;
  if (!catalogue.models.empty() && !catalogue.models.back().files.empty()) {
    const CatalogueModel& model = catalogue.models.back();
    const CatalogueFile& file = model.files.front();
    least = fmt::format(": {} needs about {} of memory and {} of disk", model.title,
                        size(static_cast<double>(least_memory(facts_of(model, file)))),
                        size(static_cast<double>(disk_needed(file.bytes))));
  }
  return machine_line(machine) + "No size fits" + least +
         ".\nA cloud, or another machine's model server, can still serve.\n";
}

// Why a size that fits is not picked, or why it does not fit.
std::string obstacle_of(const SizeFit& size_fit, const Machine& machine) {
  const CatalogueFile& file = size_fit.model->files.front();
  if (!size_fit.plan) {
    return fmt::format("needs {} of memory", size(static_cast<double>(size_fit.needs)));
  }
  if (!has_room_on_disk(machine, file)) {
    return fmt::format("needs {} of disk", size(static_cast<double>(disk_needed(file.bytes))));
  }
  if (size_fit.rates.write < kWriteLeast) {
    return fmt::format("writes about {:.1f} tokens/s only", size_fit.rates.write);
  }
  if (size_fit.rates.read < kReadLeast) {
    return fmt::format("reads about {:.0f} tokens/s only", size_fit.rates.read);
  }
  return "";
}

}  // namespace

std::uint64_t disk_needed(std::uint64_t file_bytes) {
  return file_bytes / 10 * 11 + kDiskSpare;
}

int warm_conversations(double read_rate, const GgufFacts& facts, const LaunchPlan& plan) {
  if (read_rate < kReadLeast) return 0;
  LaunchPlan one = plan;
  one.slots = 1;
  one.context_tokens = static_cast<std::uint32_t>(kConversationTokens);
  const std::uint64_t each = std::max<std::uint64_t>(1, kv_bytes(facts, one));
  const std::uint64_t kept = plan.cache_ram_mib * (1ULL << 20U) / each;
  const std::uint64_t in_window =
      std::max<std::uint64_t>(1, plan.context_tokens / kConversationTokens);
  const std::uint64_t live =
      std::min<std::uint64_t>(static_cast<std::uint64_t>(plan.slots), in_window);
  const double by_rate = std::max(1.0, std::floor(read_rate / kReadPerConversation));
  return static_cast<int>(std::min(by_rate, static_cast<double>(live + kept)));
}

Rates estimate_rates(const GgufFacts& facts, std::uint64_t active_parameters,
                     const LaunchPlan& plan, const Machine& machine) {
  Rates rates;
  const double active = std::max(0.05, static_cast<double>(facts.active_bytes) / kGb);
  const double billions = std::max(0.1, static_cast<double>(active_parameters) / 1e9);
  const double memory = machine.memory_bandwidth.gigabytes_per_second;
  const double gpu = machine.gpu_bandwidth.gigabytes_per_second;
  const double by_cores = kReadPerCore * machine.physical_cores / billions;
  switch (plan.placement) {
    case Placement::memory:
      rates.write = kBandwidthUse * memory / active;
      rates.read = machine.unified ? kReadPerBandwidthUnified * memory / billions : by_cores;
      break;
    case Placement::devices:
      rates.write = kBandwidthUse * gpu / active;
      rates.read = kReadPerBandwidth * gpu / billions;
      break;
    case Placement::experts_in_memory: {
      // The experts' part of what is read comes from memory, at its pace.
      const double layers = std::max(1.0, static_cast<double>(facts.block_count));
      const double idle =
          facts.experts == 0 ? 1 : static_cast<double>(facts.experts_used) / facts.experts;
      const double experts =
          static_cast<double>(facts.expert_bytes) / kGb * idle * plan.cpu_moe_layers / layers;
      const double rest = std::max(0.1, active - experts);
      rates.write = kBandwidthUse / (experts / std::max(1.0, memory) + rest / std::max(1.0, gpu));
      rates.read = std::max(by_cores, kReadPerBandwidth * gpu / billions / 8);
      break;
    }
  }
  rates.warm_conversations =
      machine.power == PowerSource::battery ? 0 : warm_conversations(rates.read, facts, plan);
  return rates;
}

Pick pick_model(const Catalogue& catalogue, const Machine& machine, const PickWants& wants) {
  Pick pick;
  if (!catalogue.models.empty()) pick = Picking(catalogue, machine, wants).run();
  if (!machine.ollama_model.empty()) {
    pick.hold =
        fmt::format("Ollama holds {} in memory: nothing is loaded beside it", machine.ollama_model);
  }
  if (pick.model == nullptr) {
    pick.explained = nothing_fits(catalogue, machine);
    return pick;
  }
  const std::string title = fmt::format("{} {}", pick.model->title, pick.file->quant);
  pick.explained =
      explain({title, pick.model->shape.context_length, pick.plan, pick.rates, pick.hold}, machine);
  return pick;
}

std::string explain(const Explained& explained, const Machine& machine) {
  const LaunchPlan& plan = explained.plan;
  const Rates& rates = explained.rates;
  std::string text = machine_line(machine);
  text += fmt::format("{}{}: window {} of nominal {} tokens for {} conversation{}, {}{}.\n",
                      explained.title, place_text(plan), tokens(plan.context_tokens),
                      tokens(explained.nominal_context), plan.slots, plan.slots == 1 ? "" : "s",
                      size(static_cast<double>(plan.memory_bytes_needed)),
                      plan.note.empty() ? "" : "; " + plan.note);
  const Bandwidth& speed =
      plan.placement == Placement::devices ? machine.gpu_bandwidth : machine.memory_bandwidth;
  const std::string known = rates.read_is_measured
                                ? "measured"
                                : fmt::format("an estimate from {:.0f} GB/s, {}",
                                              speed.gigabytes_per_second, speed.source);
  text += fmt::format("Reads about {:.0f} tokens/s, writes about {:.0f} ({}); {}{}.\n", rates.read,
                      rates.write, known, warm_text(rates, machine),
                      explained.hold.empty() ? "" : "; " + explained.hold);
  return text;
}

std::vector<SizeFit> fit_sizes(const Catalogue& catalogue, const Machine& machine,
                               const PickWants& wants) {
  std::vector<SizeFit> fits;
  for (const CatalogueModel& model : catalogue.models) {
    if (model.files.empty()) continue;
    SizeFit line;
    line.model = &model;
    const GgufFacts facts = facts_of(model, model.files.front());
    Machine with_disk = machine;
    with_disk.disk_free_bytes = 0;
    PickWants one = wants;
    one.id = model.id;
    const Pick pick = pick_model(catalogue, with_disk, one);
    if (pick.model != nullptr) {
      line.plan = pick.plan;
      line.projector = pick.projector;
      line.rates = pick.rates;
      line.needs = pick.plan.memory_bytes_needed;
    } else {
      line.needs = least_memory(facts);
    }
    line.obstacle = obstacle_of(line, machine);
    fits.push_back(std::move(line));
  }
  return fits;
}

}  // namespace nl::engine
