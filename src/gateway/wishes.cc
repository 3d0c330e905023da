#include "gateway/wishes.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>

#include "gateway/answer_headers.h"

namespace nl::gateway {
namespace {

constexpr std::string_view kRoute = "x-nightlight-route";
constexpr std::string_view kTask = "x-nightlight-task";
constexpr std::size_t kTargetsMax = 8;
constexpr std::size_t kModelBytesMax = 200;

using router::Tier;

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

std::unexpected<Error> refused(std::string message) {
  return fail(ErrorCode::bad_request, std::move(message), 400);
}

// It goes on into a body, an answer's header, the ledger and what is shown of them.
bool is_model_name(std::string_view text) {
  return !text.empty() && text.size() <= kModelBytesMax &&
         std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
}

std::string names_of(const router::Policy& policy) {
  std::string names;
  for (const router::ProviderFacts& provider : policy.providers) {
    names += (names.empty() ? "" : ", ") + provider.name;
  }
  return names.empty() ? "none" : names;
}

// The engine answers by the one model that it has, whatever name it is called by: another name
// would be told as the answerer's, and what is known of that model decides about tools.
std::optional<std::string> lacks_model(const router::ProviderFacts& provider,
                                       std::string_view model) {
  if (provider.name != "engine" || model.empty()) return std::nullopt;
  std::string runs;
  for (const chat::ModelFacts& has : provider.models) {
    if (has.name == model) return std::nullopt;
    runs = has.name;
  }
  return fmt::format("{}: the engine does not run \"{}\"; it runs {}", kRoute, header_value(model),
                     runs.empty() ? "no model" : runs);
}

Result<router::TargetSpec> target_of(std::string_view text, const router::Policy& policy) {
  router::TargetSpec spec;
  for (const Tier tier : {Tier::frontier, Tier::router, Tier::local}) {
    if (text.starts_with('@') && text.substr(1) == router::name(tier)) spec.tier = tier;
  }
  if (spec.tier) return spec;
  const std::size_t slash = text.find('/');
  const std::string_view provider = text.substr(0, slash);
  const auto named = std::ranges::find(policy.providers, provider, &router::ProviderFacts::name);
  const bool odd_model = slash != std::string_view::npos && !is_model_name(text.substr(slash + 1));
  if (named == policy.providers.end() || odd_model) {
    return refused(fmt::format(
        "{}: \"{}\" is no target; use @frontier, @router, @local, provider/model, a provider ({}), "
        "offline or direct",
        kRoute, header_value(text.substr(0, 120)), names_of(policy)));
  }
  spec.provider = static_cast<std::size_t>(named - policy.providers.begin());
  if (slash != std::string_view::npos) spec.model = std::string(text.substr(slash + 1));
  if (const auto lack = lacks_model(*named, spec.model)) return refused(*lack);
  return spec;
}

// What is on this machine: the local tier, then servers here that are in no tier.
std::vector<router::TargetSpec> targets_here(const router::Policy& policy) {
  std::vector<router::TargetSpec> targets(1);
  targets.front().tier = Tier::local;
  for (std::size_t i = 0; i < policy.providers.size(); ++i) {
    if (!policy.providers[i].local) continue;
    router::TargetSpec spec;
    spec.provider = i;
    targets.push_back(std::move(spec));
  }
  return targets;
}

Result<std::vector<router::TargetSpec>> targets_of(std::string_view text,
                                                   const router::Policy& policy) {
  std::vector<router::TargetSpec> targets;
  for (;;) {
    const std::size_t comma = text.find(',');
    auto target = target_of(trimmed(text.substr(0, comma)), policy);
    if (!target) return std::unexpected(std::move(target.error()));
    if (targets.size() == kTargetsMax) {
      return refused(fmt::format("{}: names more than {} targets", kRoute, kTargetsMax));
    }
    targets.push_back(std::move(*target));
    if (comma == std::string_view::npos) return targets;
    text.remove_prefix(comma + 1);
  }
}

bool is_among(const std::vector<router::TargetSpec>& targets, std::size_t provider,
              const router::Policy& policy) {
  return std::ranges::any_of(targets, [&](const router::TargetSpec& spec) {
    return spec.tier ? *spec.tier == policy.providers[provider].tier : spec.provider == provider;
  });
}

Result<void> once(const http::Headers& headers, std::string_view name) {
  if (headers.count(name) <= 1) return {};
  return refused(fmt::format("{}: stands more than once in this request", name));
}

Result<void> read_route(Turn& turn, std::string_view text, const router::Policy& policy) {
  if (text == "direct") {
    turn.direct = turn.facts.direct = true;
    return {};
  }
  router::Route route;
  route.match = fmt::format("{} {}", kRoute, header_value(text));
  if (text == "offline") {
    turn.facts.this_machine_only = true;
    route.targets = targets_here(policy);
  } else {
    auto targets = targets_of(text, policy);
    if (!targets) return std::unexpected(std::move(targets.error()));
    route.targets = std::move(*targets);
  }
  turn.facts.route = &turn.route.emplace(std::move(route));
  return {};
}

}  // namespace

Result<void> read_wishes(Turn& turn, const router::Policy& policy) {
  const http::Headers& headers = turn.exchange.head().headers;
  const auto task = headers.find(kTask);
  const auto route = headers.find(kRoute);
  if (task) {
    if (const auto single = once(headers, kTask); !single) return single;
    const auto labels = router::task_labels();
    const auto known = std::ranges::find(labels, trimmed(*task));
    if (known == labels.end()) {
      std::string names;
      for (const std::string_view label : labels) {
        names.append(names.empty() ? "" : ", ").append(label);
      }
      return refused(fmt::format("{}: \"{}\" is no task; use one of {}", kTask,
                                 header_value(task->substr(0, 120)), names));
    }
    turn.facts.task = *known;
  }
  if (!route) return {};
  if (const auto single = once(headers, kRoute); !single) return single;
  return read_route(turn, trimmed(*route), policy);
}

Result<void> leaves_to(const http::RequestHead& head, const router::Policy& policy,
                       std::size_t provider) {
  const auto route = head.headers.find(kRoute);
  if (!route) return {};
  if (const auto single = once(head.headers, kRoute); !single) return single;
  const std::string_view text = trimmed(*route);
  if (text == "direct") return {};
  const std::string& name = policy.providers[provider].name;
  const auto nobody_else = [&name, text]() {
    return refused(fmt::format("{}: this path is served by {} alone, which is not among \"{}\"",
                               kRoute, name, header_value(text.substr(0, 120))));
  };
  if (text == "offline") return nobody_else();
  const auto targets = targets_of(text, policy);
  if (!targets) return std::unexpected(targets.error());
  return is_among(*targets, provider, policy) ? Result<void>() : nobody_else();
}

}  // namespace nl::gateway
