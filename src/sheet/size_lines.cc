#include "sheet/size_lines.h"

#include <algorithm>
#include <array>

#include "engine/fit_plan.h"

namespace nl::sheet {
namespace {

using engine::CatalogueModel;
using engine::Machine;
using engine::Pick;
using engine::Placement;
using engine::SizeFit;

constexpr std::uint64_t kGiB = 1ULL << 30U;
constexpr double kBandwidthUse = 0.6;  // as estimate_rates() reckons

// Sizes in which memory is sold.
constexpr std::array<int, 14> kMemoryGb = {4, 6, 8, 12, 16, 24, 32, 36, 48, 64, 96, 128, 192, 256};
// A machine with a GPU: what of the model lies beside it takes little.
constexpr std::uint64_t kBesideGpu = 32 * kGiB;

const char* place_of(Placement placement) {
  switch (placement) {
    case Placement::memory:
      return "memory";
    case Placement::devices:
      return "GPU";
    case Placement::experts_in_memory:
      return "GPU, experts in memory";
  }
  return "";
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t from = 0;
  while (from < text.size()) {
    const std::size_t end = std::min(text.find('\n', from), text.size());
    lines.push_back(text.substr(from, end - from));
    from = end + 1;
  }
  return lines;
}

void add_rates(SizeLine& line, const SizeFit& size, const SizesQuestion& question) {
  line.reads = size.rates.read;
  line.writes = size.rates.write;
  line.warm = size.rates.warm_conversations;
  if (size.rates.read_is_measured) line.rates = Known::measured;
  const auto seen = std::ranges::find(question.seen, line.id, &SeenSize::id);
  if (seen == question.seen.end()) return;
  line.on_disk = true;
  if (seen->reads <= 0) return;
  line.reads = seen->reads;
  if (seen->writes > 0) line.writes = seen->writes;
  line.rates = Known::measured;
  if (question.machine.power == engine::PowerSource::battery) return;
  const engine::GgufFacts facts = engine::facts_of(*size.model, size.model->files.front());
  line.warm = engine::warm_conversations(line.reads, facts, *size.plan);
}

Standing standing_of(const SizeFit& size, const Pick& pick) {
  if (size.model == pick.model) return Standing::pick;
  if (!size.plan) return Standing::absent;
  return size.obstacle.empty() ? Standing::fits : Standing::slow;
}

SizeLine line_of(const SizeFit& size, const Pick& pick, const SizesQuestion& question) {
  const CatalogueModel& model = *size.model;
  SizeLine line;
  line.id = model.id;
  line.title = model.title;
  line.quant = model.files.front().quant;
  line.pull = model.files.front().pull;
  line.standing = standing_of(size, pick);
  line.needs_bytes = size.needs;
  line.nominal = model.shape.context_length;
  line.verdict = size.obstacle.empty() ? "fits" : size.obstacle;
  if (line.standing == Standing::pick) line.verdict = "the pick";
  if (!size.plan) return line;
  line.place = place_of(size.plan->placement);
  line.window = size.plan->context_tokens;
  line.slots = size.plan->slots;
  line.note = size.plan->note;
  line.takes_images = size.projector;
  add_rates(line, size, question);
  return line;
}

// The smallest of the usual amounts for which `machine` of it runs the size with the usual window.
template <typename MachineOf>
int least_gb(const CatalogueModel& model, Placement placement, MachineOf machine_of) {
  const engine::GgufFacts facts = engine::facts_of(model, model.files.front());
  for (const int gb : kMemoryGb) {
    const Machine machine = machine_of(static_cast<std::uint64_t>(gb) * kGiB);
    const engine::FitQuestion question{facts,
                                       machine,
                                       model.projector_bytes,
                                       engine::kContextUsual,
                                       engine::kSlotsUsual,
                                       engine::rooms_of(machine, 0)};
    if (engine::fit(question, placement, engine::Effort::usual)) return gb;
  }
  return 0;
}

NeedLine need_of(const CatalogueModel& model) {
  NeedLine line;
  line.title = model.title;
  line.file_bytes = model.files.front().bytes;
  line.speed_gb = engine::kWriteLeast * static_cast<double>(model.files.front().active_bytes) /
                  1e9 / kBandwidthUse;
  line.inputs = model.inputs;
  line.tools = model.tools;
  line.memory_gb = least_gb(model, Placement::memory, [](std::uint64_t bytes) {
    Machine machine;
    machine.memory_bytes = bytes;
    return machine;
  });
  line.unified_gb = least_gb(model, Placement::memory, [](std::uint64_t bytes) {
    Machine machine;
    machine.memory_bytes = bytes;
    machine.unified = true;
    return machine;
  });
  line.gpu_gb = least_gb(model, Placement::devices, [](std::uint64_t bytes) {
    Machine machine;
    machine.memory_bytes = kBesideGpu;
    machine.gpus.push_back({"GPU", "cuda", bytes, 0});
    return machine;
  });
  return line;
}

}  // namespace

std::vector<NeedLine> hardware_needs(const engine::Catalogue& catalogue) {
  std::vector<NeedLine> lines;
  for (const CatalogueModel& model : catalogue.models) {
    if (!model.files.empty()) lines.push_back(need_of(model));
  }
  return lines;
}

void add_sizes(SheetFacts& facts, const SizesQuestion& question) {
  const Pick pick = engine::pick_model(question.catalogue, question.machine, question.wants);
  facts.about = lines_of(pick.explained);
  facts.hold = pick.hold;
  for (SizeFit& size : engine::fit_sizes(question.catalogue, question.machine, question.wants)) {
    // What the pick would be started with, which may lie elsewhere than the size alone would.
    if (size.model == pick.model) {
      size.plan = pick.plan;
      size.projector = pick.projector;
      size.rates = pick.rates;
      size.needs = pick.plan.memory_bytes_needed;
    }
    facts.sizes.push_back(line_of(size, pick, question));
  }
  facts.needs = hardware_needs(question.catalogue);
}

}  // namespace nl::sheet
