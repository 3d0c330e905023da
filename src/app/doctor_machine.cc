#include "app/doctor_machine.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>

#include "engine/gguf.h"
#include "engine/partial_file.h"
#include "engine/probe.h"
#include "models/engine_choice.h"
#include "models/model_record.h"
#include "models/size_choice.h"

namespace nl::app {
namespace {

constexpr Duration kProbeWithin = std::chrono::seconds(5);

// The first that can be run.
std::string first_program(const std::vector<std::string>& programs) {
  const auto runs = [](const std::string& path) { return ::access(path.c_str(), X_OK) == 0; };
  const auto there = std::ranges::find_if(programs, runs);
  return there == programs.end() ? "" : *there;
}

void look_at_model(doctor::LocalTierFacts& tier, const models::EngineChoice& choice) {
  if (choice.self_test) return;
  std::error_code error;
  if (!std::filesystem::exists(choice.wanted.model, error)) {
    tier.missing = choice.trouble.empty() ? choice.wanted.model + " is not there" : choice.trouble;
    return;
  }
  if (const auto header = engine::inspect_gguf(choice.wanted.model); !header) {
    tier.damaged = header.error().message;
    return;
  }
  tier.does_not_fit = choice.trouble;
  if (!choice.ember && choice.occupied) tier.held = choice.occupied();
  if (choice.trouble.empty()) tier.window_tokens = choice.model.context_tokens.value_or(0);
}

bool is_as_pulled(const engine::ModelStore& store, const models::BlobRecord& blob) {
  const auto digest = engine::file_digest(store.blob(blob.hex), [](std::uint64_t) {});
  return digest && *digest == blob.hex;
}

void look_at_store(doctor::LocalTierFacts& tier, const engine::ModelStore& store, bool digest) {
  for (const models::ModelRecord& record : models::read_records(store)) {
    if (!models::find_record(store, record.name)) {
      tier.incomplete.push_back(record.name);
    } else if (digest && !(is_as_pulled(store, record.model) &&
                           (!record.projector || is_as_pulled(store, *record.projector)))) {
      tier.wrong_digests.push_back(record.name);
    }
  }
}

}  // namespace

EngineLook look_at_engine(const config::Config& config, const Environment& environment,
                          const DoctorOrder& order) {
  EngineLook look;
  doctor::LocalTierFacts& tier = look.tier;
  tier.uses_engine = config.uses_engine();
  tier.short_form = config.local.profile;
  look_at_store(tier, models::model_store(environment), order.digest);
  if (!tier.uses_engine) return look;
  const models::EngineChoice choice =
      models::choose_engine(config.engine, environment, models::program_folder());
  look.programs = choice.wanted.programs;
  tier.self_test = choice.self_test;
  tier.ember_chosen = choice.ember && !choice.self_test;
  tier.model = choice.model.name;
  look_at_model(tier, choice);
  tier.engine_program = first_program(choice.wanted.programs);
  if (!tier.engine_program.empty()) {
    const std::atomic<bool> stop{false};
    const auto engine = engine::probe_binary(tier.engine_program, kProbeWithin, stop);
    if (!engine) tier.engine_trouble = engine.error().message;
    look.looked_at.push_back(
        fmt::format("engine {}{}", tier.engine_program, engine ? ", " + engine->version : ""));
  }
  std::string line = "local model " + tier.model;
  if (tier.window_tokens > 0) line += fmt::format(", window {} tokens", tier.window_tokens);
  look.looked_at.push_back(std::move(line));
  return look;
}

doctor::Findings look_at_machine(const Environment& environment,
                                 const std::vector<std::string>& programs) {
  const engine::Machine machine =
      models::machine_for(programs, models::model_store(environment).folder());
  doctor::MachineFacts facts;
  facts.group_limit_bytes = machine.memory_limit_bytes;
  facts.swap = doctor::read_swap();
  facts.files = doctor::read_files_limit();
  for (const engine::Gpu& gpu : machine.gpus) facts.gpus.push_back(gpu.name);
  facts.gpus_are_driven = machine.gpus_are_driven || machine.unified || programs.empty();
  return doctor::check_machine(facts);
}

}  // namespace nl::app
