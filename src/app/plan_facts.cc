#include "app/plan_facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "app/client_login.h"
#include "app/discover.h"
#include "engine/pick_model.h"
#include "models/catalogue.h"
#include "models/model_record.h"
#include "models/size_choice.h"
#include "work/task_store.h"

namespace nl::app {
namespace {

constexpr Duration kDiscoverWithin = std::chrono::milliseconds(500);
constexpr double kGiB = 1024.0 * 1024 * 1024;

bool has_key(const config::ProviderConfig& provider) {
  return !provider.local && !provider.key.empty();
}

std::string keys_line(const config::Config& config, router::Tier tier) {
  std::string names;
  for (const config::ProviderConfig& provider : config.providers) {
    if (provider.tier != tier || !has_key(provider)) continue;
    names += (names.empty() ? "" : ", ") + provider.name + " (" + provider.key_text + ")";
  }
  return names;
}

std::string frontier_line(const config::Config& config, const Environment& environment) {
  std::string line = keys_line(config, router::Tier::frontier);
  if (has_claude_login(environment)) {
    line += (line.empty() ? "" : ", ") + std::string("Claude Code's own login");
  }
  if (!line.empty()) return line;
  return "no key and no login: export ANTHROPIC_API_KEY or OPENAI_API_KEY, or log in to Claude "
         "Code";
}

std::string router_line(const config::Config& config) {
  const std::string line = keys_line(config, router::Tier::router);
  return line.empty() ? "no key: export OPENROUTER_API_KEY (openrouter.ai/keys)" : line;
}

std::string machine_line(const engine::Machine& machine) {
  std::string line =
      fmt::format("{:.0f} GiB of memory, {} cores",
                  static_cast<double>(machine.memory_bytes) / kGiB, machine.physical_cores);
  for (const engine::Gpu& gpu : machine.gpus) {
    line +=
        fmt::format(", {} with {:.0f} GiB", gpu.name, static_cast<double>(gpu.memory_bytes) / kGiB);
  }
  if (machine.gpus.empty()) line += machine.unified ? ", a GPU that shares it" : ", no GPU";
  return line;
}

// The model of the local tier that is no self-test, as far as files and local servers tell.
std::string local_model(const config::Config& config, const Environment& environment) {
  const std::string& named = config.engine.model;
  const engine::ModelStore store = models::model_store(environment);
  if (named != "auto" && named != "ember") {
    std::error_code error;
    if (named.starts_with('/') && std::filesystem::is_regular_file(named, error)) return named;
    if (const auto record = models::find_record(store, named)) return record->name;
  }
  if (named == "auto") {
    if (const auto record = models::newest_record(store)) return record->name;
  }
  for (const FoundServer& server : discover(config, kDiscoverWithin)) {
    if (!server.models.empty()) return server.name + "'s " + server.models.front();
  }
  return "";
}

}  // namespace

std::vector<std::string> what_is_here(const config::Config& config,
                                      const Environment& environment) {
  std::vector<std::string> lines;
  lines.push_back("frontier  " + frontier_line(config, environment));
  lines.push_back("router    " + router_line(config));
  const std::string model = local_model(config, environment);
  lines.push_back("local     " + (model.empty() ? "no model yet" : model));
  lines.push_back("machine   " + machine_line(models::measured_machine(environment)));
  return lines;
}

StepFacts step_facts(const config::Config& config, const Environment& environment) {
  StepFacts facts;
  facts.model = local_model(config, environment);
  if (facts.model.empty()) {
    const engine::Catalogue sizes = models::catalogue();
    const engine::Pick pick =
        engine::pick_model(sizes, models::measured_machine(environment), engine::PickWants());
    if (pick.model != nullptr) {
      facts.choice = pick.model->title + ", " + models::size_text(pick.file->bytes);
    }
  }
  const work::TaskStore store(config.state_dir + "/tasks");
  const auto tasks = store.tasks();
  const auto readiness = store.readiness();
  if (!tasks || !readiness) return facts;  // `nightlight tasks list` says what is wrong
  facts.tasks = tasks->size();
  for (const work::Task& task : *tasks) {
    const auto judged = [&task](const work::Readiness& one) { return one.task == task.name; };
    if (std::ranges::any_of(*readiness, judged)) ++facts.compared;
  }
  return facts;
}

}  // namespace nl::app
