// PlanView: the effective plan in plain words: who answers, with which credential, at what price,
// who sees the prompts, and which tiers are left when something is gone.
//
// Computed from configuration alone, so `check` needs no network; made once more by `up` when it
// has looked for local servers. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/policy.h"
#include "config/config.h"

namespace nl::app {

enum class Standing : std::uint8_t {
  ready,      // can answer as things are
  on_client,  // can answer for a client that brings its own credential
  absent,     // cannot answer; `note` says why and what to do
};

struct PlannedTarget {
  std::string name;  // "openrouter/openai/gpt-5.5", or the provider alone
  Standing standing = Standing::ready;
  std::string credential;  // "key from env:X", "the client's own", "none needed"
  std::string price;       // "gpt-5.5 $5/$30"; empty when absent
  std::string seen_by;     // whose company sees prompts sent there
  std::string note;
};

struct PlannedTier {
  router::Tier tier = router::Tier::frontier;
  std::vector<PlannedTarget> targets;
  std::string note;  // why nothing here can answer, with the fix; empty when something can
};

// What is left in one bad hour.
struct BadHour {
  std::string what;               // "token limit at anthropic"
  std::vector<std::string> left;  // "tier 2 openrouter"
  std::vector<std::string> lost;  // overlaps that look like a way out and are none
};

struct PlanView {
  std::vector<PlannedTier> tiers;
  std::vector<std::string> routes;  // "claude-haiku-* -> openrouter/..., @frontier (built in)"
  std::vector<std::string> tasks;
  std::vector<std::string> floors;   // "summarisation: engine/gemma4:e4b comes last, ..."
  std::vector<std::string> seen_by;  // everybody who may see prompts
  std::vector<BadHour> bus_factor;
};

PlanView make_plan_view(const config::Config& config, const Routing& routing);

// For people; ends with a line end. `check` prints all of it.
std::string plan_text(const config::Config& config, const Routing& routing);
// For programs.
std::string plan_json(const config::Config& config, const Routing& routing);

// "$0.25", "$4", "$1.90".
std::string dollars(std::int64_t micro_usd);

}  // namespace nl::app
