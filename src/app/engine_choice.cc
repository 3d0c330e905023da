#include "app/engine_choice.h"

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "app/model_record.h"
#include "engine/gguf.h"
#include "engine/machine.h"

namespace nl::app {
namespace {

namespace fs = std::filesystem;

constexpr const char* kServer = "llama-server";

bool is_file(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

// Best first: what the user names, what was built or installed with this program, what is on PATH.
std::vector<std::string> programs(const EngineConfig& config, const Environment& environment,
                                  const fs::path& folder) {
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
  const auto plan =
      engine::plan_launch(choice.wanted, *facts, engine::read_machine(), error ? 0 : projector);
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
  if (choice.wanted.projector.empty() && !choice.ember) {
    choice.model.images = has_projector_beside(choice.wanted.model, *facts);
  }
}

// What the model store has under `name`, or its newest for "auto". A name that is not there is
// kept, so that people are told of it.
void take_pulled(EngineChoice& choice, const std::string& name, const Environment& environment) {
  const engine::ModelStore store = model_store(environment);
  const auto record = name == "auto" ? newest_record(store) : find_record(store, name);
  if (record) {
    choice.wanted.model = store.blob(record->model.hex);
    if (record->projector) choice.wanted.projector = store.blob(record->projector->hex);
    choice.model.name = record->name;
    choice.model.images = record->projector.has_value();
    choice.wanted.steps_down = record->steps_down;
  } else if (name != "auto") {
    choice.wanted.model = (fs::path("/") / store.folder() / name).string();
    choice.model.name = name;
    choice.trouble = name + " is not here: `nightlight pull " + name + "` gets it";
  }
}

}  // namespace

EngineChoice choose_engine(const EngineConfig& config, const Environment& environment,
                           const std::string& program_folder) {
  EngineChoice choice;
  choice.model.images = false;
  const fs::path folder = program_folder;
  choice.wanted.programs = programs(config, environment, folder);
  choice.wanted.context_tokens = static_cast<std::uint32_t>(config.context_tokens);
  choice.wanted.slots = config.slots;
  const bool is_path = config.model.starts_with('/');
  if (!is_path && config.model != "ember") take_pulled(choice, config.model, environment);
  if (is_path) {
    choice.wanted.model = config.model;
    choice.model.name = fs::path(config.model).stem().string();
  } else if (choice.wanted.model.empty()) {
    choice.ember = true;
    choice.wanted.model = ember_path(folder);
    choice.model.name = "ember";
  }
  choice.model.price = chat::Price();
  look_at_model(choice);
  choice.self_test = choice.ember && config.model == "auto";
  // A model that nobody asked for costs nothing until somebody does.
  choice.eager = config.start == EngineStart::eager && !choice.self_test;
  return choice;
}

std::string program_folder() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  return error ? "" : program.parent_path().string();
}

}  // namespace nl::app
