#include "router/planner.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

#include "router/resolve.h"

namespace nl::router {

namespace {

constexpr std::size_t kPerTierMax = 2;
constexpr std::size_t kCloudMax = 5;
constexpr std::size_t kLocalMax = 1;
constexpr std::size_t kTiers = 3;
// A place in a list that may become a target.
struct Listed {
  const TargetSpec* spec;  // the policy's
  Tier tier = Tier::frontier;
  std::string why;
};

struct Option {
  Candidate candidate;
  std::uint64_t mark = 0;  // of the credential
};

// Which list the targets come from: one that the user wrote out is not cut per tier.
enum class Listing : std::uint8_t { tiers, route };

class Planning {
 public:
  Planning(const RequestFacts& facts, const Policy& policy, const Health& health, Instant now)
      : facts_(facts), policy_(policy), health_(health), now_(now) {}

  Plan run();

 private:
  const ProviderFacts& provider_of(const Target& target) const {
    return policy_.providers[target.provider];
  }
  std::string spelled_out(const Target& target) const {
    return spelled(provider_of(target), target.model);
  }
  bool stays_here() const { return facts_.this_machine_only || policy_.share == Share::local; }
  void skip(const Target& target, std::string why) {
    plan_.skipped.push_back({spelled_out(target), std::move(why)});
  }

  void list_targets();
  void list(const std::vector<TargetSpec>& specs, const std::string& why);
  void list_tier(Tier tier, const std::string& why);
  void make_options();
  void judge_self_test();
  void judge_proof(Candidate& candidate) const;
  bool choose_credential(Option& option);
  bool able(const Option& option) const;
  void drop_unable();
  void keep_direct();
  void keep_healthy();
  void guard_budget();
  bool metered(const Option& option) const;
  void order_for_now();
  void admit_last_resort();
  void cut();

  const RequestFacts& facts_;
  const Policy& policy_;
  const Health& health_;
  Instant now_;

  Listing listing_ = Listing::tiers;
  std::vector<Listed> listed_;
  std::vector<Option> options_;  // what remains, in order
  struct Shut {
    Option option;
    Health::Blocked blocked;
  };
  std::vector<Shut> shut_;
  Target preferred_;  // what a healthy world with an open purse would use
  bool preferred_is_metered_ = false;
  Plan plan_;
};

Plan Planning::run() {
  plan_.label = facts_.direct ? std::string_view{} : task_label(facts_);
  list_targets();
  make_options();
  if (facts_.direct) {
    keep_direct();
    return std::move(plan_);
  }

  if (options_.empty()) {
    const auto speaks_it = [this](const Listed& item) {
      return policy_.providers[item.spec->provider].dialect == facts_.dialect;
    };
    plan_.no_form = facts_.only_this_dialect && !listed_.empty() &&
                    std::none_of(listed_.begin(), listed_.end(), speaks_it);
    return std::move(plan_);
  }
  const auto best = std::find_if(options_.begin(), options_.end(),
                                 [this](const Option& option) { return able(option); });
  const Option& preferred = best == options_.end() ? options_.front() : *best;
  preferred_ = preferred.candidate.target;
  preferred_is_metered_ = metered(preferred);
  plan_.preferred = spelled_out(preferred_);

  keep_healthy();
  guard_budget();
  if (options_.empty()) admit_last_resort();
  drop_unable();
  order_for_now();
  cut();
  return std::move(plan_);
}

// Stage 1: every target in question, in order of preference.
void Planning::list_targets() {
  if (facts_.route != nullptr) {
    listing_ = Listing::route;
    list(facts_.route->targets, facts_.route->match);
    return;
  }
  const Route* route = facts_.direct ? nullptr : matching_route(policy_, facts_.model);
  const auto task = policy_.tasks.find(plan_.label);
  const bool has_task = !plan_.label.empty() && task != policy_.tasks.end();
  if (has_task && (route == nullptr || route->built_in)) {
    list(task->second, "task " + plan_.label);
  }
  if (route != nullptr) {
    if (listed_.empty()) listing_ = Listing::route;
    list(route->targets, "route " + route->match);
    return;
  }
  for (const Tier tier : {Tier::frontier, Tier::router, Tier::local}) {
    list_tier(tier, std::string("tier ") + name(tier));
  }
}

void Planning::list(const std::vector<TargetSpec>& specs, const std::string& why) {
  for (const TargetSpec& spec : specs) {
    if (spec.tier) {
      list_tier(*spec.tier, why);
      continue;
    }
    assert(spec.provider < policy_.providers.size());
    listed_.push_back({&spec, policy_.providers[spec.provider].tier, why});
  }
}

void Planning::list_tier(Tier tier, const std::string& why) {
  const auto begin = static_cast<std::ptrdiff_t>(listed_.size());
  for (const TargetSpec& spec : policy_.tiers[static_cast<std::size_t>(tier)]) {
    assert(!spec.tier && spec.provider < policy_.providers.size());
    listed_.push_back({&spec, tier, why});
  }
  // The asked model's own provider goes first in its tier.
  std::stable_partition(listed_.begin() + begin, listed_.end(), [this](const Listed& item) {
    return item.spec->model.empty() ? serves(policy_.providers[item.spec->provider], facts_.model)
                                    : item.spec->model == facts_.model;
  });
}

// Stage 2: resolve the models, drop what cannot be used at all.
void Planning::make_options() {
  options_.reserve(listed_.size());
  for (Listed& item : listed_) {
    const ProviderFacts& provider = policy_.providers[item.spec->provider];
    Option option;
    Target& target = option.candidate.target;
    target.provider = item.spec->provider;
    target.model = item.spec->model.empty() ? resolve_model(provider, facts_.model, policy_)
                                            : item.spec->model;
    target.tier = item.tier;
    const bool again = std::any_of(options_.begin(), options_.end(), [&](const Option& other) {
      return other.candidate.target.provider == target.provider &&
             other.candidate.target.model == target.model;
    });
    if (again) continue;
    if (const char* why = refused(provider, facts_, policy_)) {
      skip(target, why);
      continue;
    }
    if (stays_here() && provider.local && runs_elsewhere(target.model)) {
      skip(target, "the request stays on this machine and this model runs elsewhere");
      continue;
    }
    if (!choose_credential(option)) {
      skip(target, "no key");
      continue;
    }
    option.candidate.facts = facts_of(provider, target.model, policy_);
    option.candidate.why = std::move(item.why);
    judge_proof(option.candidate);
    options_.push_back(std::move(option));
  }
  judge_self_test();
  if (policy_.proofs.empty() || facts_.route != nullptr) return;
  // A model that the user found not good enough for such a task answers only before nobody does.
  std::stable_partition(options_.begin(), options_.end(), [](const Option& option) {
    return option.candidate.proof != Proof::not_yet;
  });
}

void Planning::judge_proof(Candidate& candidate) const {
  candidate.proof = proof_of(policy_, plan_.label, candidate.target);
  if (candidate.proof == Proof::not_yet) candidate.why += ", not yet good enough by your tasks";
}

// The self-test model answers whoever asks for it by name, and everybody where nothing else exists
// at all. It is no third tier: an answer of it in a model's place would be a lie.
void Planning::judge_self_test() {
  const auto is_one = [this](const Option& option) {
    return provider_of(option.candidate.target).self_test;
  };
  const auto own = std::find_if(options_.begin(), options_.end(), is_one);
  if (own == options_.end()) return;
  const bool by_name = own->candidate.target.model == facts_.model;
  if (by_name) {
    std::erase_if(options_, [&](const Option& option) { return !is_one(option); });
  } else if (facts_.client_vendor || has_real_provider(policy_)) {
    skip(own->candidate.target,
         "the self-test model stands in for no other; `nightlight pull` gets "
         "a model that fits this machine");
    std::erase_if(options_, is_one);
  }
}

// A configured key, else the client's own at its own vendor, else none where none is needed.
bool Planning::choose_credential(Option& option) {
  const ProviderFacts& provider = provider_of(option.candidate.target);
  if (provider.has_key) {
    option.candidate.credential = CredentialSource::configured;
    option.mark = provider.key_mark;
    return true;
  }
  const bool known_vendor = provider.vendor != Vendor::other && provider.vendor != Vendor::local;
  if (facts_.client_vendor &&
      ((known_vendor && *facts_.client_vendor == provider.vendor) ||
       (provider.vendor == Vendor::other && provider.takes_client_credential))) {
    option.candidate.credential = CredentialSource::client;
    option.mark = facts_.client_mark;
    return true;
  }
  option.candidate.credential = CredentialSource::none_needed;
  return provider.keyless;
}

bool Planning::able(const Option& option) const {
  const chat::ModelFacts& facts = option.candidate.facts;
  if (facts_.images && !facts.images) return false;
  if (!facts.context_tokens) return true;
  if (policy_.fits_local && provider_of(option.candidate.target).local && !facts_.direct)
    return true;
  const auto needed = static_cast<double>(facts_.input_tokens) * 1.05 +
                      static_cast<double>(std::min(facts_.max_tokens, kOutputBudgeted));
  return static_cast<double>(*facts.context_tokens) >= needed;
}

// Targets that lack images or room go when another has both; else they are still better than none.
void Planning::drop_unable() {
  const auto can = [this](const Option& option) { return able(option); };
  if (std::none_of(options_.begin(), options_.end(), can)) return;
  std::erase_if(options_, [&](const Option& option) {
    if (can(option)) return false;
    const bool blind = facts_.images && !option.candidate.facts.images;
    skip(option.candidate.target, blind ? "takes no images" : "prompt too long for its window");
    return true;
  });
}

// The client wants no gateway at all: the asked model's own provider, nothing else.
void Planning::keep_direct() {
  const auto own = std::find_if(options_.begin(), options_.end(), [this](const Option& option) {
    return serves(provider_of(option.candidate.target), facts_.model);
  });
  if (own != options_.end()) std::rotate(options_.begin(), own, own + 1);
  if (options_.empty()) return;
  Candidate& only = options_.front().candidate;
  only.why = "direct";
  plan_.preferred = spelled_out(only.target);
  plan_.candidates.push_back(std::move(only));
}

// Stage 3: what health blocks.
void Planning::keep_healthy() {
  const auto shut = [this](Option& option) {
    const Target& target = option.candidate.target;
    auto blocked = health_.blocked(provider_of(target), target, option.mark, now_);
    if (!blocked) return false;
    skip(target, blocked->why);
    const Instant ready = blocked->being_tested ? now_ : blocked->ready_at;
    plan_.held_until = std::min(plan_.held_until.value_or(ready), ready);
    shut_.push_back({std::move(option), std::move(*blocked)});
    return true;
  };
  std::erase_if(options_, shut);
}

bool Planning::metered(const Option& option) const {
  if (provider_of(option.candidate.target).billing != Billing::metered) return false;
  return option.candidate.credential != CredentialSource::client || !facts_.client_subscription;
}

// Stage 4: the money that failing over may spend.
void Planning::guard_budget() {
  const auto guard = [&](Option& option) {
    Candidate& candidate = option.candidate;
    const bool is_preferred = candidate.target == preferred_;
    candidate.paid_failover =
        !is_preferred && metered(option) && (!preferred_is_metered_ || policy_.cap_is_explicit);
    if (!candidate.paid_failover) return true;
    const std::int64_t cost = estimated_cost_micro_usd(candidate.facts, facts_);
    const std::int64_t cap = policy_.failover_cap_micro_usd;
    const std::int64_t spent = facts_.failover_spent_micro_usd;
    if (spent <= cap && cost <= cap - spent) return true;
    skip(candidate.target,
         fmt::format("failover budget of ${:.2f} a day is used up (${:.2f}); raise "
                     "budget.failover_usd_per_day",
                     static_cast<double>(cap) / 1e6, static_cast<double>(spent) / 1e6));
    return false;
  };
  std::erase_if(options_, [&](Option& option) { return !guard(option); });
  std::erase_if(shut_, [&](Shut& shut) { return !guard(shut.option); });
}

// Nothing is left: a breaker is a guess, so the target that is ready soonest is asked all the same.
// A used-up quota or a dead key is no guess.
void Planning::admit_last_resort() {
  Shut* soonest = nullptr;
  for (Shut& shut : shut_) {
    if (shut.blocked.block != Health::Block::breaker) continue;
    if (soonest == nullptr || shut.blocked.ready_at < soonest->blocked.ready_at) soonest = &shut;
  }
  if (soonest == nullptr) return;
  soonest->option.candidate.last_resort = true;
  soonest->option.candidate.why += ", last resort";
  options_.push_back(std::move(soonest->option));
}

// Stage 5: what the moment says about the order.
void Planning::order_for_now() {
  const auto is_local = [this](const Option& option) {
    return option.candidate.target.tier == Tier::local ||
           provider_of(option.candidate.target).local;
  };
  if (health_.offline(now_)) {
    // One cloud target is tried now and then to learn that the network is back.
    const auto begin = options_.begin() + (!options_.empty() && health_.probe_due(now_) ? 1 : 0);
    std::stable_partition(begin, options_.end(), is_local);
  }
  const auto stands = [this](const Option& option) {
    return !health_.demoted(facts_.conversation, provider_of(option.candidate.target).name, now_);
  };
  if (std::ranges::all_of(options_, stands)) return;  // a partition fetches memory first
  std::stable_partition(options_.begin(), options_.end(), stands);
}

// Stage 6: the bounds on attempts.
void Planning::cut() {
  std::array<std::size_t, kTiers> used{};
  std::size_t cloud = 0;
  plan_.candidates.reserve(options_.size());
  for (Option& option : options_) {
    const Target& target = option.candidate.target;
    const bool local = target.tier == Tier::local;
    std::size_t& in_tier = used[static_cast<std::size_t>(target.tier)];
    const bool full =
        local ? in_tier >= kLocalMax
              : cloud >= kCloudMax || (listing_ == Listing::tiers && in_tier >= kPerTierMax);
    if (full) {
      skip(target, "enough others stand before it");
      continue;
    }
    ++in_tier;
    if (!local) ++cloud;
    plan_.candidates.push_back(std::move(option.candidate));
  }
}

}  // namespace

Plan plan(const RequestFacts& facts, const Policy& policy, const Health& health, Instant now) {
  return Planning(facts, policy, health, now).run();
}

}  // namespace nl::router
