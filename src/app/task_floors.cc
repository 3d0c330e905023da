#include "app/task_floors.h"

namespace nl::app {

void add_proofs(router::Policy& policy, const std::vector<work::Readiness>& known) {
  for (const work::Readiness& one : known) {
    if (one.label.empty() || one.target.empty()) continue;
    router::Proof& proof = policy.proofs[one.label][one.target];
    if (proof == router::Proof::not_yet) continue;
    proof = one.verdict == work::Verdict::safe ? router::Proof::safe : router::Proof::not_yet;
  }
}

std::string add_task_floors(Routing& routing, const Config& config) {
  const auto known = work::read_readiness(config.state_dir + "/tasks");
  if (!known) return known.error().message + "; the readiness of tasks steers nothing until then";
  add_proofs(routing.policy, *known);
  return "";
}

}  // namespace nl::app
