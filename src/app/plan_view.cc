#include "app/plan_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>

#include "provider/catalog.h"
#include "router/resolve.h"

namespace nl::app {
namespace {

using router::CredentialSource;
using router::ProviderFacts;
using router::TargetSpec;
using router::Tier;
using router::Vendor;

Standing standing_of(const ProviderFacts& facts) {
  if (facts.has_key) return Standing::ready;
  if (facts.takes_client_credential) return Standing::on_client;
  // The self-test model stands in for nobody: a tier that has nothing else has nothing.
  if (!facts.keyless || facts.self_test) return Standing::absent;
  return facts.models.empty() ? Standing::absent : Standing::ready;
}

std::string seen_by(const ProviderFacts& facts, const provider::Setting& setting) {
  if (facts.local) return "nobody else: it stays on this machine";
  if (const auto* known = provider::known_provider(facts.name)) return std::string(known->company);
  return setting.base.endpoint.host;
}

std::string priced(const chat::ModelFacts& model, const ProviderFacts& facts) {
  if (facts.billing == router::Billing::free) return model.name + " free";
  if (facts.billing == router::Billing::flat) return model.name + " flat fee";
  if (!model.price) return model.name + " unpriced";
  return fmt::format("{} {}/{}", model.name, dollars(model.price->input),
                     dollars(model.price->output));
}

// The model of the spec, or what the provider alone means: the default of each class.
std::string prices(const TargetSpec& spec, const ProviderFacts& facts) {
  std::string text;
  std::set<chat::ModelClass> classes;
  for (const chat::ModelFacts& model : facts.models) {
    const bool wanted =
        spec.model.empty() ? classes.insert(model.size).second : model.name == spec.model;
    if (!wanted) continue;
    if (!text.empty()) text += ", ";
    text += priced(model, facts);
  }
  return text;
}

std::string credential_of(const ProviderFacts& facts, const config::Config& config) {
  if (facts.has_key) {
    const auto index = config.provider_index(facts.name);
    const std::string from = index ? config.providers[*index].key_text : "";
    return from == "literal" ? "key from the file" : "key from " + from;
  }
  return facts.takes_client_credential ? "the client's own" : "none needed";
}

std::string why_absent(const ProviderFacts& facts, const config::Config& config) {
  if (facts.self_test) {
    return "only the self-test model: `nightlight pull` gets a model that fits this machine";
  }
  if (facts.keyless) return "lists no model yet; it is asked when the gateway runs";
  const auto index = config.provider_index(facts.name);
  const std::string key = index ? config.providers[*index].key_text : "";
  if (key.starts_with("env:")) return fmt::format("no key: set {}", key.substr(4));
  return "no key";
}

std::vector<std::string> floors(const Routing& routing) {
  std::vector<std::string> lines;
  for (const auto& [label, targets] : routing.policy.proofs) {
    for (const auto& [target, proof] : targets) {
      const char* what = proof == router::Proof::not_yet
                             ? "comes last: not yet good enough by your tasks"
                             : "is safe by your tasks";
      lines.push_back(fmt::format("{}: {} {}", label, target, what));
    }
  }
  return lines;
}

PlannedTarget planned(const TargetSpec& spec, const config::Config& config,
                      const Routing& routing) {
  const ProviderFacts& facts = routing.policy.providers[spec.provider];
  PlannedTarget target;
  target.name = spec.model.empty() ? facts.name : facts.name + "/" + spec.model;
  target.standing = standing_of(facts);
  target.seen_by = facts.local && router::runs_elsewhere(spec.model)
                       ? fmt::format("whoever runs {} for {}", spec.model, facts.name)
                       : seen_by(facts, routing.settings[spec.provider]);
  if (target.standing == Standing::absent) {
    target.note = why_absent(facts, config);
    return target;
  }
  target.credential = credential_of(facts, config);
  target.price = prices(spec, facts);
  return target;
}

PlannedTier planned_tier(Tier tier, const config::Config& config, const Routing& routing) {
  PlannedTier made;
  made.tier = tier;
  const auto at = static_cast<std::size_t>(tier);
  for (const TargetSpec& spec : routing.policy.tiers[at]) {
    made.targets.push_back(planned(spec, config, routing));
  }
  const bool any = std::any_of(made.targets.begin(), made.targets.end(), [](const auto& target) {
    return target.standing != Standing::absent;
  });
  if (any) return made;
  if (tier == Tier::local) {
    made.note =
        "tier 3 has no model: `nightlight pull` gets one that fits this machine; or start with "
        "`nightlight up --model FILE.gguf`, or start Ollama or LM Studio on this machine";
  } else if (made.targets.empty()) {
    made.note = fmt::format("tier {} is empty by configuration", at + 1);
  } else {
    made.note = fmt::format("tier {} cannot answer: set one of the keys above", at + 1);
  }
  return made;
}

std::string spelled(const TargetSpec& spec, const Routing& routing) {
  if (spec.tier) return fmt::format("@{}", router::name(*spec.tier));
  const std::string& provider = routing.policy.providers[spec.provider].name;
  return spec.model.empty() ? provider : provider + "/" + spec.model;
}

std::string spelled(const std::vector<TargetSpec>& specs, const Routing& routing) {
  std::string text;
  for (const TargetSpec& spec : specs) {
    if (!text.empty()) text += ", ";
    text += spelled(spec, routing);
  }
  return text;
}

// A usable target of the tiers, with where it stands.
struct Usable {
  std::size_t tier = 0;
  const TargetSpec* spec = nullptr;
  const ProviderFacts* facts = nullptr;
};

std::vector<Usable> usable_targets(const Routing& routing) {
  std::vector<Usable> usable;
  for (std::size_t i = 0; i < 3; ++i) {
    for (const TargetSpec& spec : routing.policy.tiers[i]) {
      const ProviderFacts& facts = routing.policy.providers[spec.provider];
      if (standing_of(facts) != Standing::absent) usable.push_back({i, &spec, &facts});
    }
  }
  // A client brings one vendor's credential: where the first choice lives on it, another vendor's
  // target that waits for one is for other clients and no way out for this one.
  if (!usable.empty() && standing_of(*usable.front().facts) == Standing::on_client) {
    const Vendor brought = usable.front().facts->vendor;
    std::erase_if(usable, [&](const Usable& item) {
      return standing_of(*item.facts) == Standing::on_client && item.facts->vendor != brought;
    });
  }
  return usable;
}

std::string placed(const Usable& item, const Routing& routing) {
  const char* condition = standing_of(*item.facts) == Standing::on_client
                              ? " (with the client's own login or key)"
                              : "";
  return fmt::format("tier {} {}{}", item.tier + 1, spelled(*item.spec, routing), condition);
}

// Whose models a target runs: the maker in front of an OpenRouter name, else the vendor.
std::string maker_of(const Usable& item) {
  if (item.facts->vendor == Vendor::openrouter && !item.spec->model.empty()) {
    const std::string maker = item.spec->model.substr(0, item.spec->model.find('/'));
    return maker == "google" ? "gemini" : maker;
  }
  if (item.facts->vendor == Vendor::other || item.facts->vendor == Vendor::local) {
    return item.facts->name;
  }
  return router::name(item.facts->vendor);
}

// The same account as far as can be told: one vendor's service, or one key.
bool same_account(const ProviderFacts& a, const ProviderFacts& b) {
  const bool vendor =
      a.vendor == b.vendor && a.vendor != Vendor::other && a.vendor != Vendor::local;
  return a.name == b.name || vendor || (a.has_key && a.key_mark == b.key_mark);
}

BadHour hour(std::string what, const std::vector<Usable>& usable, const Routing& routing,
             const std::function<bool(const Usable&)>& gone) {
  BadHour made;
  made.what = std::move(what);
  for (const Usable& item : usable) {
    if (!gone(item)) made.left.push_back(placed(item, routing));
  }
  return made;
}

std::vector<BadHour> bus_factor(const Routing& routing) {
  const std::vector<Usable> usable = usable_targets(routing);
  std::vector<BadHour> hours;
  if (usable.empty()) return hours;
  const Usable& first = usable.front();
  const auto account = [&](const Usable& item) { return same_account(*item.facts, *first.facts); };
  BadHour limit = hour("token limit at " + first.facts->name, usable, routing, account);
  const auto down = [&](const Usable& item) {
    return account(item) || maker_of(item) == maker_of(first);
  };
  BadHour outage = hour("outage of " + first.facts->name, usable, routing, down);
  for (const Usable& item : usable) {
    if (item.facts == first.facts) continue;
    if (account(item)) {
      limit.lost.push_back(placed(item, routing) + " is the same account");
    } else if (down(item)) {
      outage.lost.push_back(placed(item, routing) + " runs the same vendor's models");
    }
  }
  hours.push_back(std::move(limit));
  hours.push_back(std::move(outage));
  hours.push_back(
      hour("no network", usable, routing, [](const Usable& item) { return !item.facts->local; }));
  hours.push_back(hour("no money", usable, routing, [](const Usable& item) {
    return item.facts->has_key && item.facts->billing == router::Billing::metered;
  }));
  return hours;
}

}  // namespace

PlanView make_plan_view(const config::Config& config, const Routing& routing) {
  PlanView view;
  for (const Tier tier : {Tier::frontier, Tier::router, Tier::local}) {
    view.tiers.push_back(planned_tier(tier, config, routing));
  }
  for (const router::Route& route : routing.policy.routes) {
    view.routes.push_back(fmt::format("{} -> {}{}", route.match, spelled(route.targets, routing),
                                      route.built_in ? " (built in)" : ""));
  }
  for (const auto& [label, specs] : routing.policy.tasks) {
    view.tasks.push_back(fmt::format("{} -> {}{}", label, spelled(specs, routing),
                                     config.named.any() ? "" : " (built in)"));
  }
  view.floors = floors(routing);
  std::set<std::string> seen;
  for (std::size_t i = 0; i < routing.policy.providers.size(); ++i) {
    const ProviderFacts& facts = routing.policy.providers[i];
    if (standing_of(facts) == Standing::absent || facts.local) continue;
    if (config.share == router::Share::local) continue;
    if (config.share == router::Share::configured && !facts.in_config) continue;
    const std::string who = seen_by(facts, routing.settings[i]);
    if (seen.insert(who).second) view.seen_by.push_back(who);
  }
  view.bus_factor = bus_factor(routing);
  return view;
}

std::string dollars(std::int64_t micro_usd) {
  if (micro_usd % 1'000'000 == 0) return fmt::format("${}", micro_usd / 1'000'000);
  const double usd = static_cast<double>(micro_usd) / 1e6;
  if (micro_usd % 10'000 == 0) return fmt::format("${:.2f}", usd);
  return fmt::format("${:.3f}", usd);
}

}  // namespace nl::app
