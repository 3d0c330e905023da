#include "models/engine_choice.h"

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "engine/fit_plan.h"
#include "engine/gguf.h"
#include "engine/machine.h"
#include "models/model_record.h"
#include "models/ollama_presence.h"
#include "models/size_choice.h"

namespace nl::models {
namespace {

namespace fs = std::filesystem;

constexpr const char* kServer = "llama-server";

bool is_file(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

std::string ember_path(const fs::path& folder) {
  for (const fs::path& place :
       {folder / "ember.gguf", folder.parent_path() / "lib/nightlight/ember.gguf"}) {
    if (is_file(place)) return place.string();
  }
  return (folder / "ember.gguf").string();
}

// A projector beside the model that fits it makes images readable; the supervisor takes it along.
bool has_projector_beside(const fs::path& model, const engine::GgufFacts& facts) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(model.parent_path(), error)) {
    const std::string name = entry.path().filename().string();
    if (!name.ends_with(".gguf") || name.find("mmproj") == std::string::npos) continue;
    const auto projector = engine::inspect_gguf(entry.path().string());
    if (!projector || projector->kind != engine::GgufKind::projector) continue;
    const std::uint32_t length = projector->projection_length;
    if (length == 0 || length == facts.embedding_length) return true;
  }
  return false;
}

std::string explain(const EngineChoice& choice, const engine::GgufFacts& facts,
                    const engine::LaunchPlan& plan, const engine::Machine& machine) {
  const engine::FitRecord record(choice.fit_record);
  const engine::Rates rates = rates_here(facts, plan, machine, record);
  return engine::explain({choice.model.name, facts.context_length, plan, rates, ""}, machine);
}

// The model's own facts, and what of them this machine can hold.
void look_at_model(EngineChoice& choice) {
  if (!choice.trouble.empty()) return;
  const auto facts = engine::inspect_gguf(choice.wanted.model);
  if (!facts) {
    choice.trouble = facts.error().message;
    return;
  }
  std::error_code error;
  const auto projector = fs::file_size(choice.wanted.projector, error);
  const engine::Machine machine = machine_for(choice.wanted.programs, "");
  engine::Wanted wanted = choice.wanted;
  for (const std::string& program : wanted.programs) {
    if (!is_file(program) || facts->is_ember) continue;
    const engine::FitKey key{engine::lasting_name(wanted.model), engine::lasting_name(program)};
    wanted.memory_bytes_most = engine::FitRecord(choice.fit_record).memory_bytes_most(key);
    break;
  }
  const auto plan = engine::plan_launch(wanted, *facts, machine, error ? 0 : projector);
  if (!plan) {
    choice.trouble = plan.error().message;
    return;
  }
  choice.model.context_tokens = plan->context_tokens;
  if (facts->is_ember) {
    // Whatever its file is called: it always says what it is.
    choice.ember = true;
    choice.model.name = "ember";
  }
  if (choice.ember) return;
  choice.explained = explain(choice, *facts, *plan, machine);
  if (choice.wanted.projector.empty()) {
    choice.model.images = has_projector_beside(choice.wanted.model, *facts);
  }
}

// What the model store has under `name`, or for "auto" its newest; behind it the smaller ones, the
// largest first, for a machine that turns out to be too small for it.
std::vector<ModelRecord> candidates(const engine::ModelStore& store, const std::string& name) {
  if (name != "auto") {
    auto found = find_record(store, name);
    return found ? std::vector<ModelRecord>{std::move(*found)} : std::vector<ModelRecord>();
  }
  const auto newest = newest_record(store);
  if (!newest) return {};
  std::vector<ModelRecord> records = read_records(store);
  std::erase_if(records, [&](const ModelRecord& record) {
    return record.model.bytes >= newest->model.bytes || !find_record(store, record.name);
  });
  std::stable_sort(records.begin(), records.end(), [](const ModelRecord& a, const ModelRecord& b) {
    return a.model.bytes > b.model.bytes;
  });
  records.insert(records.begin(), *newest);
  return records;
}

void take(EngineChoice& choice, const ModelRecord& record, const engine::ModelStore& store) {
  choice.wanted.model = store.blob(record.model.hex);
  choice.wanted.projector = record.projector ? store.blob(record.projector->hex) : "";
  choice.model.name = record.name;
  choice.model.images = record.projector.has_value();
}

// The first that fits, with those behind it in reserve; else the first, with its trouble. A name
// that is not there is kept, so that people are told of it.
void take_pulled(EngineChoice& choice, const std::string& name, const engine::ModelStore& store) {
  const std::vector<ModelRecord> records = candidates(store, name);
  const EngineChoice bare = choice;
  for (std::size_t i = 0; i < records.size(); ++i) {
    EngineChoice next = bare;
    take(next, records[i], store);
    look_at_model(next);
    if (!next.trouble.empty() && i > 0) continue;
    for (std::size_t rest = i + 1; rest < records.size(); ++rest) {
      EngineChoice reserve;
      take(reserve, records[rest], store);
      next.wanted.smaller.push_back({reserve.wanted.model, reserve.wanted.projector});
    }
    const bool fits = next.trouble.empty();
    choice = std::move(next);
    if (fits) return;
  }
  if (records.empty() && name != "auto") {
    choice.wanted.model = (fs::path("/") / store.folder() / name).string();
    choice.model.name = name;
    choice.trouble = name + " is not here: `nightlight pull " + name + "` gets it";
  }
}

}  // namespace

// What the user names, what was built or installed with this program, what is on PATH.
std::vector<std::string> engine_programs(const config::EngineConfig& config,
                                         const Environment& environment,
                                         const std::string& program_folder) {
  const fs::path folder = program_folder;
  std::vector<std::string> found;
  if (!config.server.empty()) return {config.server};
  if (const auto named = environment.find("NIGHTLIGHT_LLAMA_SERVER")) {
    found.emplace_back(*named);
  }
  if (!folder.empty()) {
    const fs::path above = folder.parent_path();
    found.push_back((above / "engine/bin" / kServer).string());
    found.push_back((above / "lib/nightlight" / kServer).string());
  }
  std::istringstream path(environment.text("PATH"));
  for (std::string entry; std::getline(path, entry, ':');) {
    if (entry.starts_with('/')) found.push_back((fs::path(entry) / kServer).string());
  }
  return found;
}

EngineChoice choose_engine(const config::EngineConfig& config, const Environment& environment,
                           const std::string& program_folder) {
  EngineChoice choice;
  choice.model.images = false;
  const fs::path folder = program_folder;
  choice.wanted.programs = engine_programs(config, environment, program_folder);
  choice.wanted.context_tokens = static_cast<std::uint32_t>(config.context_tokens);
  choice.wanted.slots = config.slots;
  choice.model.price = chat::Price();
  const engine::ModelStore store = model_store(environment);
  choice.fit_record = fit_record_path(store);
  const bool is_path = config.model.starts_with('/');
  if (!is_path && config.model != "ember") take_pulled(choice, config.model, store);
  if (is_path) {
    choice.wanted.model = config.model;
    choice.model.name = fs::path(config.model).stem().string();
    look_at_model(choice);
  } else if (choice.wanted.model.empty()) {
    choice.ember = true;
    choice.wanted.model = ember_path(folder);
    choice.model.name = "ember";
    look_at_model(choice);
  }
  choice.occupied = ollama_watch(environment);
  choice.self_test = choice.ember && config.model == "auto";
  // A model that nobody asked for costs nothing until somebody does.
  choice.eager = config.start == config::EngineStart::eager && !choice.self_test;
  return choice;
}

std::string program_folder() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  return error ? "" : program.parent_path().string();
}

}  // namespace nl::models
