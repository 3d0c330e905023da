#include "app/task_floors.h"

#include <fmt/format.h>

#include <filesystem>

namespace nl::app {
namespace {

std::string tasks_folder(const config::Config& config) {
  return config.state_dir + "/tasks";
}

}  // namespace

void add_proofs(router::Policy& policy, const std::vector<work::Readiness>& known) {
  for (const work::Readiness& one : known) {
    if (one.label.empty() || one.target.empty()) continue;
    router::Proof& proof = policy.proofs[one.label][one.target];
    if (proof == router::Proof::not_yet) continue;
    proof = one.verdict == work::Verdict::safe ? router::Proof::safe : router::Proof::not_yet;
  }
}

std::string floors_stamp(const config::Config& config) {
  const std::string path = work::readiness_file(tasks_folder(config));
  std::error_code error;
  const auto written = std::filesystem::last_write_time(path, error);
  if (error) return "";
  const auto bytes = std::filesystem::file_size(path, error);
  return fmt::format("{} {}", written.time_since_epoch().count(), error ? 0 : bytes);
}

Result<std::vector<work::Readiness>> known_readiness(const config::Config& config) {
  return work::read_readiness(tasks_folder(config));
}

std::string add_task_floors(Routing& routing, const config::Config& config) {
  const auto known = known_readiness(config);
  if (!known) return known.error().message + "; the readiness of tasks steers nothing until then";
  add_proofs(routing.policy, *known);
  return "";
}

}  // namespace nl::app
