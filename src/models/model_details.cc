#include "models/model_details.h"

#include <fmt/format.h>

#include <iterator>
#include <utility>

#include "dialect/json_writer.h"
#include "engine/fit_plan.h"
#include "engine/machine.h"
#include "models/size_choice.h"

namespace nl::models {
namespace {

using dialect::JsonWriter;

// What is known of its rates here, and what failed.
std::string experience(const engine::GgufFacts& facts, const engine::LaunchPlan& plan,
                       const engine::Machine& machine, const engine::FitRecord& record) {
  const engine::Rates rates = rates_here(facts, plan, machine, record);
  std::string text = fmt::format(
      "; reads {:.0f} tokens/s, writes {:.0f} ({}), keeps {} warm", rates.read, rates.write,
      rates.read_is_measured ? "measured" : "an estimate", rates.warm_conversations);
  for (const engine::FitEntry& entry : record.entries()) {
    const bool of_this = entry.key.model == engine::lasting_name(plan.model);
    if (of_this && entry.what == engine::FitEntry::What::failed) text += "; " + describe(entry);
  }
  return text;
}

std::string how_it_runs(const engine::ModelStore& store, const ModelRecord& record,
                        const engine::GgufFacts& facts, const config::EngineConfig& config) {
  engine::Wanted wanted;
  const engine::Machine machine = machine_for({}, store.folder());
  wanted.model = store.blob(record.model.hex);
  wanted.slots = config.slots;
  wanted.context_tokens = static_cast<std::uint32_t>(config.context_tokens);
  const auto plan =
      engine::plan_launch(wanted, facts, machine, record.projector ? record.projector->bytes : 0);
  if (!plan) return "not on this machine: " + plan.error().message;
  std::string text =
      fmt::format("{} tokens shared by {} conversations, {} of memory", plan->context_tokens,
                  plan->slots, size_text(plan->memory_bytes_needed));
  if (!plan->note.empty()) text += "; " + plan->note;
  return text + experience(facts, *plan, machine, engine::FitRecord(fit_record_path(store)));
}

}  // namespace

Result<ModelDetails> model_details(const std::string& name, const config::EngineConfig& config,
                                   const Environment& environment) {
  const engine::ModelStore store = model_store(environment);
  auto record = find_record(store, name);
  if (!record) {
    return fail(ErrorCode::config,
                fmt::format("{} is not here: `nightlight models` lists what is", name));
  }
  auto facts = engine::inspect_gguf(store.blob(record->model.hex));
  if (!facts) return std::unexpected(std::move(facts.error()));
  std::string runs = how_it_runs(store, *record, *facts, config);
  return ModelDetails{std::move(*record), std::move(*facts), std::move(runs)};
}

std::string details_text(const ModelDetails& details) {
  const engine::GgufFacts& facts = details.facts;
  std::string text = details.record.name + "\n";
  const auto row = [&text](const char* label, const std::string& value) {
    fmt::format_to(std::back_inserter(text), "  {:<12} {}\n", label, value);
  };
  row("from", details.record.source);
  row("pulled", details.record.date);
  row("digest", fmt::format("sha256:{}{}", details.record.model.hex,
                            details.record.verified ? "" : " (computed here, unverified)"));
  row("size", size_text(details.record.model.bytes));
  row("images", details.record.projector ? fmt::format("yes, projector of {}",
                                                       size_text(details.record.projector->bytes))
                                         : "no projector");
  row("kind", fmt::format("{} ({}), {:.2f}B parameters, {} layers", facts.architecture,
                          facts.name.empty() ? "unnamed" : facts.name,
                          static_cast<double>(facts.parameters) / 1e9, facts.block_count));
  row("context",
      fmt::format("{} tokens{}", facts.context_length,
                  facts.sliding_window == 0 ? std::string()
                                            : fmt::format(", window of {}", facts.sliding_window)));
  row("template", facts.has_chat_template ? "in the file" : "none in the file");
  row("runs with", details.runs);
  return text;
}

std::string details_json(const ModelDetails& details) {
  const engine::GgufFacts& facts = details.facts;
  std::string text;
  JsonWriter writer(text);
  const auto whole = [](std::uint64_t value) { return static_cast<std::int64_t>(value); };
  writer.begin_object().string("name", details.record.name).string("source", details.record.source);
  writer.string("date", details.record.date).boolean("verified", details.record.verified);
  writer.string("digest", "sha256:" + details.record.model.hex);
  writer.integer("size", whole(details.record.model.bytes));
  if (details.record.projector) {
    writer.string("projector_digest", "sha256:" + details.record.projector->hex);
    writer.integer("projector_size", whole(details.record.projector->bytes));
  }
  writer.string("architecture", facts.architecture).string("title", facts.name);
  writer.integer("parameters", whole(facts.parameters));
  writer.integer("context", facts.context_length).integer("layers", facts.block_count);
  writer.integer("window", facts.sliding_window);
  writer.boolean("chat_template", facts.has_chat_template);
  writer.string("runs", details.runs).end_object();
  return text;
}

}  // namespace nl::models
