#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "config/parse.h"
#include "config/url.h"

namespace nl::config {
namespace {

constexpr const char* kTierNames[] = {"frontier", "router", "local"};

std::vector<std::string> provider_names(const Config& config) {
  std::vector<std::string> names = {"engine"};
  for (const ProviderConfig& provider : config.providers) names.push_back(provider.name);
  for (const provider::KnownProvider& known : provider::known_providers()) {
    names.emplace_back(known.name);
  }
  return names;
}

// The provider's index; a known name that the file has not described is added.
std::optional<std::size_t> find_or_add(std::string_view name, Parsing& parsing) {
  if (const auto index = parsing.config.provider_index(name)) return index;
  const provider::KnownProvider* known = provider::known_provider(name);
  if (known == nullptr) return std::nullopt;
  ProviderConfig made = known_defaults(*known, parsing);
  made.tier = known->local           ? router::Tier::local
              : name == "openrouter" ? router::Tier::router
                                     : router::Tier::frontier;
  made.in_config = true;
  parsing.config.providers.push_back(std::move(made));
  return parsing.config.providers.size() - 1;
}

std::optional<TargetConfig> tier_target(const Located& written, std::string_view key,
                                        TableReader& reader) {
  TargetConfig target;
  target.text = written.text;
  for (std::size_t i = 0; i < 3; ++i) {
    if (written.text == fmt::format("@{}", kTierNames[i]))
      target.tier = static_cast<router::Tier>(i);
  }
  if (target.tier) return target;
  reader.mistake(written.place, key, fmt::format("\"{}\" is no tier", written.text),
                 "use @frontier, @router or @local");
  return std::nullopt;
}

std::optional<TargetConfig> parse_target(const Located& written, std::string_view key,
                                         TableReader& reader, Parsing& parsing) {
  if (written.text.starts_with('@')) return tier_target(written, key, reader);
  TargetConfig target;
  target.text = written.text;
  const std::size_t slash = written.text.find('/');
  target.provider = written.text.substr(0, slash);
  if (slash != std::string::npos) target.model = written.text.substr(slash + 1);
  if (slash != std::string::npos && target.model.empty()) {
    reader.mistake(written.place, key, fmt::format("\"{}\" names no model", written.text),
                   "write provider/model, or the provider alone");
    return std::nullopt;
  }
  if (target.provider == "engine") return target;
  const auto index = find_or_add(target.provider, parsing);
  if (!index) {
    const std::string meant = closest(target.provider, provider_names(parsing.config));
    reader.mistake(written.place, key, fmt::format("no provider is called \"{}\"", target.provider),
                   meant.empty() ? "add a [[provider]] with that name"
                                 : fmt::format("did you mean \"{}\"?", meant));
    return std::nullopt;
  }
  const ProviderConfig& provider = parsing.config.providers[*index];
  const bool nameless = target.model.empty() && provider.models.empty() &&
                        provider::known_provider(provider.name) == nullptr;
  if (nameless && !is_loopback(provider.url.endpoint.host)) {
    reader.mistake(
        written.place, key, fmt::format("\"{}\" is not known to have any model", provider.name),
        fmt::format("write \"{}/MODEL\", or give the provider models = [...]", provider.name));
    return std::nullopt;
  }
  return target;
}

enum class TierTargets { allowed, refused };

std::vector<TargetConfig> parse_list(TableReader& reader, std::string_view key, TierTargets tiers,
                                     Parsing& parsing) {
  std::vector<TargetConfig> targets;
  const auto written = reader.texts(key);
  if (!written) return targets;
  for (const Located& item : *written) {
    if (tiers == TierTargets::refused && item.text.starts_with('@')) {
      reader.mistake(item.place, key, "a tier cannot hold a tier", "name providers and models");
      continue;
    }
    if (auto target = parse_target(item, key, reader, parsing))
      targets.push_back(std::move(*target));
  }
  return targets;
}

void parse_tiers(const toml::table& table, Parsing& parsing) {
  TableReader reader(table, "[tiers]", parsing.mistakes);
  parsing.config.named.tiers = true;
  for (std::size_t i = 0; i < 3; ++i) {
    parsing.config.tiers[i] = parse_list(reader, kTierNames[i], TierTargets::refused, parsing);
  }
  reader.finish();
}

void parse_route(const toml::table& table, Parsing& parsing) {
  TableReader reader(table, "[[route]]", parsing.mistakes);
  RouteConfig route;
  const auto match = reader.text("match");
  if (match && !match->text.empty()) {
    route.match = match->text;
  } else if (table.get("match") == nullptr || match) {
    reader.mistake(reader.place(), "match", "is missing",
                   "write match = \"MODEL-*\", the name that the client sends");
  }
  if (table.get("targets") == nullptr) {
    reader.mistake(reader.place(), "targets", "is missing", "write targets = [\"@router\"]");
  }
  route.targets = parse_list(reader, "targets", TierTargets::allowed, parsing);
  reader.finish();
  parsing.config.routes.push_back(std::move(route));
}

void parse_tasks(const toml::table& table, Parsing& parsing) {
  TableReader reader(table, "[tasks]", parsing.mistakes);
  parsing.config.named.tasks = true;
  for (const std::string_view label : router::task_labels()) {
    if (table.get(label) == nullptr) {
      reader.node(label);
      continue;
    }
    parsing.config.tasks[std::string(label)] =
        parse_list(reader, label, TierTargets::allowed, parsing);
  }
  reader.finish();
}

// The tiers that a file does not name: those of zero configuration, but once the file has routes
// only with the providers that it names (a tier that would stay empty keeps its usual ones).
void default_tiers(Parsing& parsing) {
  Config& config = parsing.config;
  std::set<std::string> named;
  for (const ProviderConfig& provider : config.providers) named.insert(provider.name);
  const std::vector<std::string> usual[3] = {
      {"anthropic", "openai", "gemini"}, {"openrouter"}, {"engine"}};
  std::set<router::Tier> asked;
  for (const RouteConfig& route : config.routes) {
    for (const TargetConfig& target : route.targets) {
      if (target.tier) asked.insert(*target.tier);
    }
  }
  for (std::size_t i = 0; i < 3; ++i) {
    const bool whole = !config.named.routes || asked.contains(static_cast<router::Tier>(i));
    for (const std::string& name : usual[i]) {
      if (!whole && name != "engine" && !named.contains(name)) continue;
      const bool user_named = named.contains(name);
      if (name != "engine") {
        if (const auto index = find_or_add(name, parsing); index && !user_named) {
          config.providers[*index].in_config = false;
        }
      }
      config.tiers[i].push_back(TargetConfig{std::nullopt, name, "", name});
    }
  }
  for (const ProviderConfig& provider : config.providers) {
    auto& tier = config.tiers[static_cast<std::size_t>(provider.tier)];
    const bool listed = std::any_of(tier.begin(), tier.end(), [&](const TargetConfig& target) {
      return target.provider == provider.name;
    });
    const auto* known = provider::known_provider(provider.name);
    if (listed || (known != nullptr && !known->local)) continue;
    if (provider.models.empty() && known == nullptr && !is_loopback(provider.url.endpoint.host)) {
      continue;  // reached by a route or task that names the model
    }
    // A server of the user's own comes before the engine that this machine may not have.
    tier.insert(provider.tier == router::Tier::local ? tier.begin() : tier.end(),
                TargetConfig{std::nullopt, provider.name, "", provider.name});
  }
}

}  // namespace

void parse_targets(TableReader& top, Parsing& parsing) {
  if (const toml::table* tiers = top.table("tiers")) parse_tiers(*tiers, parsing);
  for (const toml::table* route : top.tables("route")) {
    parsing.config.named.routes = true;
    parse_route(*route, parsing);
  }
  if (const toml::table* tasks = top.table("tasks")) parse_tasks(*tasks, parsing);
}

void complete_tiers(Parsing& parsing) {
  Config& config = parsing.config;
  if (!config.named.tiers) default_tiers(parsing);
  std::set<std::string> placed;
  for (std::size_t i = 0; i < 3; ++i) {
    for (const TargetConfig& target : config.tiers[i]) {
      const auto index = config.provider_index(target.provider);
      if (!index || !placed.insert(target.provider).second) continue;
      config.providers[*index].tier = static_cast<router::Tier>(i);
    }
  }
  for (ProviderConfig& provider : config.providers) {
    provider.local = provider.tier == router::Tier::local &&
                     (provider.url.endpoint.scheme == http::Scheme::unix_socket ||
                      is_loopback(provider.url.endpoint.host));
  }
}

}  // namespace nl::config
