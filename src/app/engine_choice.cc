#include "app/engine_choice.h"

#include <algorithm>
#include <filesystem>
#include <sstream>

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

// A projector beside the model makes images readable; the supervisor picks the one that fits.
bool has_projector_beside(const fs::path& model) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(model.parent_path(), error)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(".gguf") && name.find("mmproj") != std::string::npos) return true;
  }
  return false;
}

// The model's own facts, and what of them this machine can hold.
void look_at_model(EngineChoice& choice) {
  const auto facts = engine::inspect_gguf(choice.wanted.model);
  if (!facts) {
    choice.trouble = facts.error().message;
    return;
  }
  const auto plan = engine::plan_launch(choice.wanted, *facts, engine::read_machine(), 0);
  if (!plan) {
    choice.trouble = plan.error().message;
    return;
  }
  choice.model.context_tokens = plan->context_tokens;
}

}  // namespace

EngineChoice choose_engine(const EngineConfig& config, const Environment& environment,
                           const std::string& program_folder) {
  EngineChoice choice;
  const fs::path folder = program_folder;
  choice.wanted.programs = programs(config, environment, folder);
  choice.wanted.context_tokens = static_cast<std::uint32_t>(config.context_tokens);
  choice.wanted.slots = config.slots;
  choice.ember = config.model == "ember" || config.model == "auto";
  choice.self_test = config.model == "auto";
  choice.wanted.model = choice.ember ? ember_path(folder) : config.model;
  choice.model.name = choice.ember ? "ember" : fs::path(config.model).stem().string();
  choice.model.images = !choice.ember && has_projector_beside(choice.wanted.model);
  choice.model.price = chat::Price();
  // A model that nobody asked for costs nothing until somebody does.
  choice.eager = config.start == EngineStart::eager && !choice.self_test;
  look_at_model(choice);
  return choice;
}

std::string program_folder() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  return error ? "" : program.parent_path().string();
}

}  // namespace nl::app
