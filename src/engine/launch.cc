#include "engine/launch.h"

namespace nl::engine {

std::vector<std::string> arguments(const LaunchPlan& plan, const std::string& socket) {
  std::vector<std::string> out = {plan.program, "--model", plan.model};
  if (!plan.projector.empty()) {
    out.emplace_back("--mmproj");
    out.push_back(plan.projector);
  }
  const std::string batch = std::to_string(plan.batch_tokens);
  const std::vector<std::string> rest = {
      "--host",
      socket,
      "--offline",
      "--no-ui",
      "--ctx-size",
      std::to_string(plan.context_tokens),
      "--parallel",
      std::to_string(plan.slots),
      "--kv-unified",
      "--batch-size",
      batch,
      "--ubatch-size",
      batch,
      "--threads",
      std::to_string(plan.threads),
      "--ctx-checkpoints",
      std::to_string(plan.checkpoints),
      "--cache-ram",
      std::to_string(plan.cache_ram_mib),
      "--slots",
      "--metrics",
      "--no-context-shift",
      "--jinja",
      // A conversation that ends in the assistant's words is taken as it is, not gone on with.
      "--no-prefill-assistant",
  };
  out.insert(out.end(), rest.begin(), rest.end());
  if (plan.placement == Placement::experts_in_memory) {
    out.emplace_back("--n-cpu-moe");
    out.push_back(std::to_string(plan.cpu_moe_layers));
  }
  if (plan.lazy == LazyRows::on) {
    out.emplace_back("--lazy-mode");
    out.emplace_back("on");
  }
  return out;
}

std::vector<std::string> needed_options() {
  std::vector<std::string> options = {"--mmproj"};
  LaunchPlan plan;
  for (const std::string& argument : arguments(plan, "")) {
    if (argument.starts_with("--")) options.push_back(argument);
  }
  return options;
}

}  // namespace nl::engine
