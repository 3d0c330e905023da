#include "app/tasks_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <thread>

#include "app/quiet_line.h"
#include "app/reach_gateway.h"
#include "router/resolve.h"
#include "state/ledger.h"
#include "work/shown.h"

namespace nl::app {
namespace {

constexpr int kLookAgain = 30;  // times 100 ms
constexpr std::size_t kTargetsMax = 8;

// The target as written, or empty for one on this machine.
std::string cloud_text(const router::TargetSpec& spec, const router::Policy& policy) {
  if (spec.tier) {
    return *spec.tier == router::Tier::local ? "" : fmt::format("@{}", router::name(*spec.tier));
  }
  const router::ProviderFacts& provider = policy.providers[spec.provider];
  if (provider.local || provider.tier == router::Tier::local) return "";
  return spec.model.empty() ? provider.name : provider.name + "/" + spec.model;
}

work::Figures figures_of(const state::RequestRow& row) {
  work::Figures figures;
  figures.tier = row.tier;
  figures.provider = row.provider;
  figures.model = row.model;
  figures.outcome = row.outcome;
  figures.reason = row.reason;
  figures.duration_ms = row.duration_ms;
  for (const state::AttemptRow& attempt : row.attempts) {
    if (attempt.outcome != "ok" || attempt.first_content_ms < 0) continue;
    figures.first_ms = attempt.started_ms + attempt.first_content_ms;
  }
  if (row.usage.input) figures.input_tokens = row.usage.input_total();
  if (row.usage.output) figures.output_tokens = *row.usage.output;
  figures.cost_micro_usd = row.cost_micro_usd;
  figures.estimated = row.usage_estimated;
  return figures;
}

}  // namespace

std::string todays_cloud(const router::Policy& policy, const work::Task& task) {
  if (!task.cloud.empty()) return task.cloud;
  std::vector<std::string> targets;
  const auto add = [&](const std::vector<router::TargetSpec>& specs) {
    for (const router::TargetSpec& spec : specs) {
      std::string text = cloud_text(spec, policy);
      const bool again = std::find(targets.begin(), targets.end(), text) != targets.end();
      if (!text.empty() && !again) targets.push_back(std::move(text));
    }
  };
  // As the planner lists them.
  const router::Route* route = router::matching_route(policy, task.model);
  const auto labelled = policy.tasks.find(task.label);
  if (labelled != policy.tasks.end() && (route == nullptr || route->built_in)) {
    add(labelled->second);
  }
  if (route != nullptr) add(route->targets);
  if (route == nullptr || targets.empty()) {
    for (const router::Tier tier : {router::Tier::frontier, router::Tier::router}) {
      router::TargetSpec spec;
      spec.tier = tier;
      add({spec});
    }
  }
  if (targets.size() > kTargetsMax) targets.resize(kTargetsMax);
  return fmt::format("{}", fmt::join(targets, ","));
}

Result<work::Figures> ledger_figures(const std::string& ledger_path, const std::string& id) {
  const state::LedgerReader reader(ledger_path);
  auto row = reader.request(id);
  for (int i = 0; i < kLookAgain && !row && row.error().code == ErrorCode::not_found; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    row = reader.request(id);
  }
  if (!row) return std::unexpected(row.error());
  return figures_of(*row);
}

Result<TaskGateway> TaskGateway::reach(const CliOptions& options, const config::Config& config) {
  const auto address = reach_gateway(options, config);
  if (!address) return std::unexpected(address.error());
  auto endpoint = std::make_unique<work::Endpoint>(*address, endpoint_limits(""));
  endpoint->when_quiet(say_what_is_awaited(config));
  return TaskGateway(std::move(endpoint), config.ledger_path());
}

work::AskingParts TaskGateway::parts() const {
  work::AskingParts parts;
  parts.ask = [this](const work::Prompt& prompt) {
    auto reply = endpoint_->answer(prompt, {});
    return work::Asked{endpoint_->last_request_id(), std::move(reply)};
  };
  parts.figures = [this](const std::string& id) { return ledger_figures(ledger_, id); };
  // Not with the report: that may be for a program.
  parts.say = [](std::string_view line) { fmt::print(stderr, "{}\n", work::visible(line)); };
  return parts;
}

}  // namespace nl::app
