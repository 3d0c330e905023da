#include "app/policy.h"

#include <algorithm>

#include "config/url.h"
#include "provider/catalog.h"

namespace nl::app {
namespace {

using router::Tier;
using router::Vendor;

Vendor vendor_of(const config::ProviderConfig& provider) {
  if (provider.name == "anthropic") return Vendor::anthropic;
  if (provider.name == "openai") return Vendor::openai;
  if (provider.name == "gemini") return Vendor::gemini;
  if (provider.name == "openrouter") return Vendor::openrouter;
  return provider.local ? Vendor::local : Vendor::other;
}

provider::AuthScheme auth_scheme(const config::ProviderConfig& provider) {
  if (provider.key.empty()) return provider::AuthScheme::none;
  switch (provider.dialect) {
    case dialect::DialectId::anthropic:
      // The token of a login is a bearer; a key is not.
      return provider.key.reveal().starts_with("sk-ant-oat") ? provider::AuthScheme::bearer
                                                             : provider::AuthScheme::x_api_key;
    case dialect::DialectId::openai_chat:
    case dialect::DialectId::ollama:
      return provider::AuthScheme::bearer;
  }
  return provider::AuthScheme::bearer;
}

bool lists(const std::vector<chat::ModelFacts>& models, std::string_view name) {
  return std::any_of(models.begin(), models.end(),
                     [&](const chat::ModelFacts& facts) { return facts.name == name; });
}

void add_model(router::ProviderFacts& facts, const std::string& name) {
  if (name.empty() || lists(facts.models, name)) return;
  auto known = provider::facts_for(facts.name, name);
  if (!known) {
    known.emplace();
    known->name = name;
  }
  facts.models.push_back(std::move(*known));
}

// Where a token costs nothing more, the price is known: it is nothing.
void price_what_is_free(router::ProviderFacts& facts) {
  if (facts.billing == router::Billing::metered) return;
  for (chat::ModelFacts& model : facts.models) {
    if (!model.price) model.price = chat::Price();
  }
}

// The user's models, then the catalog's, then those that a target names.
void collect_models(router::ProviderFacts& facts, const config::ProviderConfig& provider,
                    const config::Config& config) {
  facts.models = provider.models;
  for (chat::ModelFacts& known : provider::models_of(provider.name)) {
    if (!lists(facts.models, known.name)) facts.models.push_back(std::move(known));
  }
  const auto take = [&](const std::vector<config::TargetConfig>& targets) {
    for (const config::TargetConfig& target : targets) {
      if (!target.tier && target.provider == provider.name) add_model(facts, target.model);
    }
  };
  for (const auto& tier : config.tiers) take(tier);
  for (const config::RouteConfig& route : config.routes) take(route.targets);
  for (const auto& [label, targets] : config.tasks) take(targets);
  for (chat::ModelFacts& model : facts.models) {
    if (!model.context_tokens) model.context_tokens = provider.context_tokens;
  }
}

router::ProviderFacts facts_of(const config::ProviderConfig& provider,
                               const config::Config& config) {
  router::ProviderFacts facts;
  facts.name = provider.name;
  facts.vendor = vendor_of(provider);
  facts.dialect = static_cast<std::uint8_t>(provider.dialect);
  facts.tier = provider.tier;
  facts.has_key = !provider.key.empty();
  facts.keyless = provider.key_source == config::KeySource::none;
  facts.in_config = provider.in_config;
  facts.local = provider.local;
  facts.billing = provider.billing;
  facts.key_mark = facts.has_key ? provider.key.fingerprint() : 0;
  if (const auto* known = provider::known_provider(provider.name)) {
    facts.takes_client_credential = known->takes_client_credential && !facts.has_key;
    for (const std::string_view prefix : known->own_prefixes) {
      facts.own_prefixes.emplace_back(prefix);
    }
  }
  collect_models(facts, provider, config);
  price_what_is_free(facts);
  return facts;
}

provider::Setting setting_of(const config::ProviderConfig& provider) {
  provider::Setting setting;
  setting.name = provider.name;
  setting.dialect = provider.dialect;
  setting.base = provider.url;
  setting.key = provider.key;
  setting.auth = auth_scheme(provider);
  setting.own_client_headers = vendor_of(provider) == Vendor::anthropic;
  setting.openrouter = vendor_of(provider) == Vendor::openrouter;
  setting.local = provider.local;
  return setting;
}

// The engine's index, behind all configured providers; without an engine its targets are left out.
using EngineIndex = std::optional<std::size_t>;

std::vector<router::TargetSpec> specs_of(const std::vector<config::TargetConfig>& targets,
                                         const config::Config& config, EngineIndex engine) {
  std::vector<router::TargetSpec> specs;
  for (const config::TargetConfig& target : targets) {
    router::TargetSpec spec;
    spec.tier = target.tier;
    spec.model = target.model;
    if (!target.tier) {
      const auto index =
          target.provider == "engine" ? engine : config.provider_index(target.provider);
      if (!index) continue;
      spec.provider = *index;
    }
    specs.push_back(std::move(spec));
  }
  return specs;
}

router::TargetSpec tier_spec(Tier tier) {
  router::TargetSpec spec;
  spec.tier = tier;
  return spec;
}

void add_built_in(router::Policy& policy, std::size_t openrouter) {
  const auto at_openrouter = [&](const char* model) {
    router::TargetSpec spec;
    spec.provider = openrouter;
    spec.model = model;
    return spec;
  };
  const router::TargetSpec cheap = at_openrouter("google/gemini-3.1-flash-lite");
  for (const char* match : {"claude-haiku-*", "*-mini", "*-nano"}) {
    router::Route route;
    route.match = match;
    route.built_in = true;
    route.targets = {cheap, tier_spec(Tier::frontier), tier_spec(Tier::router),
                     tier_spec(Tier::local)};
    policy.routes.push_back(std::move(route));
  }
  policy.tasks["background_utility"] = {cheap};
  policy.tasks["code_review"] = {at_openrouter("openai/gpt-5.3-codex")};
  policy.tasks["summarisation"] = {at_openrouter("google/gemini-3.8-flash")};
  policy.tasks["research_synthesis"] = {at_openrouter("x-ai/grok-4.3")};
}

void add_engine(Routing& routing, const models::EngineChoice& choice) {
  router::ProviderFacts facts;
  facts.name = "engine";
  facts.vendor = Vendor::local;
  facts.dialect = static_cast<std::uint8_t>(dialect::DialectId::openai_chat);
  facts.tier = Tier::local;
  facts.keyless = true;
  facts.local = true;
  facts.self_test = choice.self_test;
  facts.billing = router::Billing::free;
  facts.models = {choice.model};
  routing.policy.providers.push_back(std::move(facts));
  provider::Setting setting;
  setting.name = "engine";
  setting.dialect = dialect::DialectId::openai_chat;
  setting.base.endpoint.scheme = http::Scheme::unix_socket;  // readiness says which
  setting.base.path = "/v1";
  setting.auth = provider::AuthScheme::none;
  setting.local = true;
  routing.settings.push_back(std::move(setting));
}

}  // namespace

Routing make_routing(const config::Config& config, const models::EngineChoice* engine) {
  Routing routing;
  router::Policy& policy = routing.policy;
  for (const config::ProviderConfig& provider : config.providers) {
    policy.providers.push_back(facts_of(provider, config));
    routing.settings.push_back(setting_of(provider));
  }
  EngineIndex at;
  if (engine != nullptr && config.uses_engine()) {
    at = policy.providers.size();
    add_engine(routing, *engine);
  }
  for (std::size_t i = 0; i < 3; ++i) policy.tiers[i] = specs_of(config.tiers[i], config, at);
  for (const config::RouteConfig& written : config.routes) {
    router::Route route;
    route.match = written.match;
    route.targets = specs_of(written.targets, config, at);
    policy.routes.push_back(std::move(route));
  }
  for (const auto& [label, targets] : config.tasks)
    policy.tasks[label] = specs_of(targets, config, at);
  const auto openrouter = config.provider_index("openrouter");
  if (!config.named.any() && openrouter && policy.providers[*openrouter].has_key) {
    add_built_in(policy, *openrouter);
  }
  policy.share = config.share;
  policy.on_local = config.on_local;
  policy.fits_local = config.local.fit;
  policy.failover_cap_micro_usd = config.failover_cap_micro_usd;
  policy.cap_is_explicit = config.failover_cap_is_explicit;
  return routing;
}

void add_found(Routing& routing, const FoundServer& found, const config::Config& config) {
  router::Policy& policy = routing.policy;
  const auto same = [&](const router::ProviderFacts& facts) { return facts.name == found.name; };
  const auto there = std::find_if(policy.providers.begin(), policy.providers.end(), same);
  if (there != policy.providers.end()) {
    for (const std::string& model : found.models) add_model(*there, model);
    price_what_is_free(*there);
    return;
  }
  if (found.models.empty() || !config.discover || config.named.tiers || config.named.routes) return;
  auto url = http::parse_base_url(config::api_root(found.base_url, found.dialect));
  if (!url) return;
  config::ProviderConfig made;
  made.name = found.name;
  made.url = std::move(*url);
  made.dialect = found.dialect;
  made.tier = Tier::local;
  made.local = true;
  made.billing = router::Billing::free;
  router::ProviderFacts facts = facts_of(made, config);
  for (const std::string& model : found.models) add_model(facts, model);
  price_what_is_free(facts);
  router::TargetSpec spec;
  spec.provider = policy.providers.size();
  policy.providers.push_back(std::move(facts));
  routing.settings.push_back(setting_of(made));
  policy.tiers[static_cast<std::size_t>(Tier::local)].push_back(std::move(spec));
}

gateway::GatewayOptions gateway_options(const config::Config& config) {
  const config::Limits& limits = config.limits;
  gateway::GatewayOptions options;
  options.first_progress = limits.first_progress;
  options.silence = limits.silence;
  options.reasoning = limits.reasoning;
  options.early_head = limits.early_head;
  options.filler = limits.filler;
  options.wait = limits.wait;
  options.total = limits.total;
  options.whole_first = limits.whole_first;
  options.answer_bytes_max = limits.answer_bytes_max;
  options.held_bytes_max = limits.held_tool_bytes_max;
  options.queue_max = limits.queue_max;
  options.hosts = config.hosts;
  options.tokens = config.tokens;
  return options;
}

}  // namespace nl::app
