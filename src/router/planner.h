// Planner: (request, policy, health) -> ordered Plan. Pure: no I/O, time passed in.
//
// Order: honour the explicit (route, direct), drop what cannot (privacy, credential, images,
// window, dialect), then tiers in order of preference with the asked model's own provider first,
// task targets before them when a label has some, demoted targets last. At most 2 targets per tier,
// 5 cloud and 1 local in all, at least one per tier when one is able. What health blocks is skipped
// with its reason.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "router/health.h"
#include "router/route.h"

namespace nl::router {

enum class Share : std::uint8_t { any, configured, local };
enum class OnLocal : std::uint8_t { automatic, proceed, read_only, hold };  // proceed: "continue"

// "@tier", "provider/model" (first slash splits) or "provider".
struct TargetSpec {
  std::optional<Tier> tier;
  std::size_t provider = 0;
  std::string model;  // empty = the provider alone
};

struct Route {
  std::string match;  // glob over the model name the client sends
  std::vector<TargetSpec> targets;
  bool built_in = false;  // a default route; user routes come first
};

struct Policy {
  std::vector<ProviderFacts> providers;
  std::vector<TargetSpec> tiers[3];                      // by Tier
  std::vector<Route> routes;                             // first match wins
  std::map<std::string, std::vector<TargetSpec>> tasks;  // label -> targets
  // label -> provider/model -> what the user's graded tasks have shown: the floor of that label.
  std::map<std::string, std::map<std::string, Proof>> proofs;
  Share share = Share::any;
  OnLocal on_local = OnLocal::automatic;
  // A conversation too long for a model on this machine is made to fit it.
  bool fits_local = false;
  std::int64_t failover_cap_micro_usd = 5'000'000;
  bool cap_is_explicit = false;  // the user set it: it then bounds every paid failover
};

// What the planner may know of a request. Views live for the call.
struct RequestFacts {
  std::uint8_t dialect = 0;
  std::string_view model;
  std::string_view client_agent;  // user-agent, for background calls
  bool stream = false;
  bool tools = false;
  bool images = false;
  std::int64_t input_tokens = 0;  // estimate
  std::int64_t max_tokens = 0;    // asked; 0 = not said
  std::size_t turns = 0;
  std::string_view last_user;     // unescaped, at most 8 KiB
  std::string_view system_start;  // unescaped, at most 2 KiB
  bool structured = false;        // response_format json
  bool only_this_dialect = false;
  bool direct = false;  // x-nightlight-route: direct
  // Targets that the request names itself (x-nightlight-route): they stand in for every route, task
  // and tier. Null = none.
  const Route* route = nullptr;
  // The label that the client states (x-nightlight-task), one of task_labels(); empty = none.
  std::string_view task;
  // Nothing of it may leave this machine, whatever the policy allows.
  bool this_machine_only = false;
  std::uint64_t conversation = 0;
  // The client's own credential, if it sent one.
  std::optional<Vendor> client_vendor;
  bool client_subscription = false;  // an OAuth token: flat fee
  std::uint64_t client_mark = 0;
  // Micro-dollars spent on paid failover today, settled and reserved.
  std::int64_t failover_spent_micro_usd = 0;
};

// The task label of a request: the stated one, else what its shape gives (code_review,
// summarisation, research_synthesis, background_utility), or empty. Simple rules over words and
// size; see task.cc.
std::string_view task_label(const RequestFacts& facts);

// Every label there is (ROUTING 3), with the two that only a request's shape gives.
std::span<const std::string_view> task_labels();

Plan plan(const RequestFacts& facts, const Policy& policy, const Health& health, Instant now);

// The part of an answer that is budgeted, in tokens: max_tokens is usually the model's maximum, not
// a wish.
inline constexpr std::int64_t kOutputBudgeted = 4096;

// Cost of `input` and `output` tokens at `price`, in micro-dollars, rounded up.
std::int64_t cost_micro_usd(const chat::Price& price, std::int64_t input, std::int64_t output);

// What a request may cost at `model`, for the spend guard: its input at the price and at most 4,096
// tokens of output. An unpriced model counts as an expensive one.
std::int64_t estimated_cost_micro_usd(const chat::ModelFacts& model, const RequestFacts& facts);

// True when `pattern` (only * and ? are special) matches all of `text`.
bool glob_match(std::string_view pattern, std::string_view text);

}  // namespace nl::router
