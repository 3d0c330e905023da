#include "app/models_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "app/model_record.h"
#include "app/ollama_store.h"
#include "app/size_choice.h"
#include "dialect/json_writer.h"
#include "engine/fit_plan.h"
#include "engine/gguf.h"
#include "engine/machine.h"
#include "engine/model_name.h"

namespace nl::app {
namespace {

using dialect::JsonWriter;

constexpr const char* kNothing =
    "No model is here yet: `nightlight pull` gets one that fits this machine.\n";

int complain(std::string_view text) {
  fmt::print(stderr, "nightlight: {}\n", text);
  return 1;
}

std::uint64_t bytes_of(const ModelRecord& record) {
  return record.model.bytes + (record.projector ? record.projector->bytes : 0);
}

std::string verdict_on(const engine::ModelStore& store, const ModelRecord& record) {
  return find_record(store, record.name) ? "usable" : "its files are gone: pull it again";
}

void models_json(const std::vector<ModelRecord>& records, const engine::ModelStore& store,
                 const std::vector<OllamaModel>& ollama) {
  std::string text;
  JsonWriter writer(text);
  writer.begin_object().string("folder", store.folder()).key("models").begin_array();
  for (const ModelRecord& record : records) {
    writer.begin_object().string("name", record.name);
    writer.integer("size", static_cast<std::int64_t>(bytes_of(record)));
    writer.string("date", record.date).string("source", record.source);
    writer.boolean("images", record.projector.has_value());
    writer.string("state", verdict_on(store, record)).end_object();
  }
  writer.end_array().key("ollama").begin_array();
  for (const OllamaModel& model : ollama) {
    writer.begin_object().string("name", model.name).string("path", model.path);
    writer.integer("size", static_cast<std::int64_t>(model.bytes));
    writer.string("state", model.verdict).end_object();
  }
  writer.end_array().end_object();
  fmt::print("{}\n", text);
}

// What one file's header says, and what of it this machine can run.
struct Shown {
  ModelRecord record;
  engine::GgufFacts facts;
  std::string runs;  // "32768 tokens in 2 conversations", or why not
};

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
                        const engine::GgufFacts& facts, const config::Config& config) {
  engine::Wanted wanted;
  const engine::Machine machine = machine_for({}, store.folder());
  wanted.model = store.blob(record.model.hex);
  wanted.slots = config.engine.slots;
  wanted.context_tokens = static_cast<std::uint32_t>(config.engine.context_tokens);
  const auto plan =
      engine::plan_launch(wanted, facts, machine, record.projector ? record.projector->bytes : 0);
  if (!plan) return "not on this machine: " + plan.error().message;
  std::string text =
      fmt::format("{} tokens shared by {} conversations, {} of memory", plan->context_tokens,
                  plan->slots, size_text(plan->memory_bytes_needed));
  if (!plan->note.empty()) text += "; " + plan->note;
  return text + experience(facts, *plan, machine, engine::FitRecord(fit_record_path(store)));
}

void show_json(const Shown& shown) {
  const engine::GgufFacts& facts = shown.facts;
  std::string text;
  JsonWriter writer(text);
  const auto whole = [](std::uint64_t value) { return static_cast<std::int64_t>(value); };
  writer.begin_object().string("name", shown.record.name).string("source", shown.record.source);
  writer.string("date", shown.record.date).boolean("verified", shown.record.verified);
  writer.string("digest", "sha256:" + shown.record.model.hex);
  writer.integer("size", whole(shown.record.model.bytes));
  if (shown.record.projector) {
    writer.string("projector_digest", "sha256:" + shown.record.projector->hex);
    writer.integer("projector_size", whole(shown.record.projector->bytes));
  }
  writer.string("architecture", facts.architecture).string("title", facts.name);
  writer.integer("parameters", whole(facts.parameters));
  writer.integer("context", facts.context_length).integer("layers", facts.block_count);
  writer.integer("window", facts.sliding_window);
  writer.boolean("chat_template", facts.has_chat_template);
  writer.string("runs", shown.runs).end_object();
  fmt::print("{}\n", text);
}

void show_text(const Shown& shown) {
  const engine::GgufFacts& facts = shown.facts;
  fmt::print("{}\n", shown.record.name);
  const auto row = [](const char* label, const std::string& value) {
    fmt::print("  {:<12} {}\n", label, value);
  };
  row("from", shown.record.source);
  row("pulled", shown.record.date);
  row("digest", fmt::format("sha256:{}{}", shown.record.model.hex,
                            shown.record.verified ? "" : " (computed here, unverified)"));
  row("size", size_text(shown.record.model.bytes));
  row("images", shown.record.projector
                    ? fmt::format("yes, projector of {}", size_text(shown.record.projector->bytes))
                    : "no projector");
  row("kind", fmt::format("{} ({}), {:.2f}B parameters, {} layers", facts.architecture,
                          facts.name.empty() ? "unnamed" : facts.name,
                          static_cast<double>(facts.parameters) / 1e9, facts.block_count));
  row("context",
      fmt::format("{} tokens{}", facts.context_length,
                  facts.sliding_window == 0 ? std::string()
                                            : fmt::format(", window of {}", facts.sliding_window)));
  row("template", facts.has_chat_template ? "in the file" : "none in the file");
  row("runs with", shown.runs);
}

}  // namespace

int list_models(const CliOptions& options, const Environment& environment) {
  if (options.fit) return show_sizes(options, environment);
  const engine::ModelStore store = model_store(environment);
  const auto records = read_records(store);
  const auto ollama = OllamaStore(environment).models();
  if (options.form == Form::json) {
    models_json(records, store, ollama);
    return 0;
  }
  if (records.empty()) fmt::print("{}", kNothing);
  std::size_t width = 0;
  for (const ModelRecord& record : records) width = std::max(width, record.name.size());
  for (const OllamaModel& model : ollama) width = std::max(width, model.name.size());
  for (const ModelRecord& record : records) {
    fmt::print("{:<{}}  {:>9}  {}  {}{}\n", record.name, width, size_text(bytes_of(record)),
               record.date.substr(0, 10), verdict_on(store, record),
               record.projector ? ", reads images" : "");
  }
  if (!ollama.empty()) fmt::print("\nIn the Ollama store (read only):\n");
  for (const OllamaModel& model : ollama) {
    fmt::print("{:<{}}  {:>9}  {}\n", model.name, width, size_text(model.bytes), model.verdict);
  }
  return 0;
}

int show_model(const CliOptions& options, const config::Config& config,
               const Environment& environment) {
  const engine::ModelStore store = model_store(environment);
  auto record = find_record(store, options.subject);
  if (!record) {
    return complain(
        fmt::format("{} is not here: `nightlight models` lists what is", options.subject));
  }
  auto facts = engine::inspect_gguf(store.blob(record->model.hex));
  if (!facts) return complain(facts.error().message);
  Shown shown{std::move(*record), std::move(*facts), ""};
  shown.runs = how_it_runs(store, shown.record, shown.facts, config);
  if (options.form == Form::json) {
    show_json(shown);
  } else {
    show_text(shown);
  }
  return 0;
}

int remove_model(const CliOptions& options, const Environment& environment) {
  const engine::ModelStore store = model_store(environment);
  const bool unfinished = options.subject.empty();
  const auto lock = store.lock();
  if (!lock) return complain(lock.error().message);
  std::string name;
  if (!unfinished) {
    const auto parsed = engine::parse_model_name(options.subject);
    if (!parsed) return complain(parsed.error().message);
    name = parsed->text();
    const auto removed = store.remove_manifest(name);
    if (!removed) {
      return complain(fmt::format("{} is not here: `nightlight models` lists what is", name));
    }
  }
  const auto freed =
      store.remove_blobs_except(digests_of(read_records(store)),
                                unfinished ? engine::Unfinished::remove : engine::Unfinished::keep);
  if (options.form == Form::json) {
    std::string text;
    JsonWriter writer(text);
    writer.begin_object().string("removed", unfinished ? "unfinished pulls" : name);
    writer.integer("freed", static_cast<std::int64_t>(freed)).end_object();
    fmt::print("{}\n", text);
  } else {
    fmt::print("Removed {}: {} are free again.\n", unfinished ? "unfinished pulls" : name,
               size_text(freed));
  }
  return 0;
}

}  // namespace nl::app
