#include "router/resolve.h"

#include <algorithm>
#include <array>

namespace nl::router {

namespace {

using chat::ModelClass;
using chat::ModelFacts;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool all_digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// The name by which one model is the same everywhere: without the vendor in front, the date at the
// end, a window mark, and with one way to write a version ("4.5" and "4-5").
std::string plain_name(std::string_view model) {
  if (const std::size_t slash = model.rfind('/'); slash != std::string_view::npos) {
    model.remove_prefix(slash + 1);
  }
  if (model.ends_with("[1m]")) model.remove_suffix(4);
  if (model.ends_with("-latest")) model.remove_suffix(7);
  if (model.size() > 9 && model[model.size() - 9] == '-' &&
      all_digits(model.substr(model.size() - 8))) {
    model.remove_suffix(9);
  }
  std::string name(model);
  for (char& c : name) c = c == '.' ? '-' : lower(c);
  return name;
}

const ModelFacts* listed(const ProviderFacts& provider, std::string_view model) {
  for (const ModelFacts& facts : provider.models) {
    if (facts.name == model) return &facts;
  }
  return nullptr;
}

const ModelFacts* equivalent(const ProviderFacts& provider, std::string_view model) {
  if (const ModelFacts* same = listed(provider, model)) return same;
  if (model.empty()) return nullptr;
  const std::string wanted = plain_name(model);
  for (const ModelFacts& facts : provider.models) {
    if (plain_name(facts.name) == wanted) return &facts;
  }
  return nullptr;
}

bool has_prefix(const ProviderFacts& provider, std::string_view model) {
  return std::any_of(provider.own_prefixes.begin(), provider.own_prefixes.end(),
                     [model](const std::string& prefix) { return model.starts_with(prefix); });
}

// Whether one of `words` stands in `name` as a word of its own.
template <std::size_t Count>
bool has_word(std::string_view name, const std::array<std::string_view, Count>& words) {
  const auto letter = [](char c) { return lower(c) >= 'a' && lower(c) <= 'z'; };
  for (const std::string_view word : words) {
    for (std::size_t at = name.find(word); at != std::string_view::npos;
         at = name.find(word, at + 1)) {
      const bool begins = at == 0 || !letter(name[at - 1]);
      const std::size_t end = at + word.size();
      if (begins && (end == name.size() || !letter(name[end]))) return true;
    }
  }
  return false;
}

ModelClass class_by_words(std::string_view model) {
  static constexpr std::array<std::string_view, 6> kSmall = {"haiku", "mini",  "nano",
                                                             "lite",  "flash", "small"};
  static constexpr std::array<std::string_view, 2> kMedium = {"sonnet", "medium"};
  const std::string name = plain_name(model);
  if (has_word(name, kSmall)) return ModelClass::small;
  if (has_word(name, kMedium)) return ModelClass::medium;
  return ModelClass::large;
}

// Where to look when a provider has no model of the wanted class: upwards first.
std::array<ModelClass, 3> by_preference(ModelClass wanted) {
  switch (wanted) {
    case ModelClass::large:
      return {ModelClass::large, ModelClass::medium, ModelClass::small};
    case ModelClass::medium:
      return {ModelClass::medium, ModelClass::large, ModelClass::small};
    case ModelClass::small:
      return {ModelClass::small, ModelClass::medium, ModelClass::large};
  }
  return {ModelClass::large, ModelClass::medium, ModelClass::small};
}

}  // namespace

ModelClass class_of(std::string_view model, const Policy& policy) {
  for (const ProviderFacts& provider : policy.providers) {
    if (const ModelFacts* facts = listed(provider, model)) return facts->size;
  }
  for (const ProviderFacts& provider : policy.providers) {
    if (const ModelFacts* facts = equivalent(provider, model)) return facts->size;
  }
  return class_by_words(model);
}

bool serves(const ProviderFacts& provider, std::string_view model) {
  return has_prefix(provider, model) || equivalent(provider, model) != nullptr;
}

std::string resolve_model(const ProviderFacts& provider, std::string_view asked,
                          const Policy& policy) {
  if (listed(provider, asked) != nullptr || has_prefix(provider, asked)) {
    return std::string(asked);
  }
  if (const ModelFacts* facts = equivalent(provider, asked)) return facts->name;
  if (provider.models.empty()) return std::string(asked);
  for (const ModelClass size : by_preference(class_of(asked, policy))) {
    for (const ModelFacts& facts : provider.models) {
      if (facts.size == size) return facts.name;
    }
  }
  return provider.models.front().name;
}

ModelFacts facts_of(const ProviderFacts& provider, std::string_view model, const Policy& policy) {
  ModelFacts facts;
  if (const ModelFacts* known = equivalent(provider, model)) {
    facts = *known;
  } else {
    facts.size = class_of(model, policy);
  }
  facts.name = std::string(model);
  return facts;
}

std::string spelled(const ProviderFacts& provider, std::string_view model) {
  return provider.name + "/" + std::string(model);
}

const Route* matching_route(const Policy& policy, std::string_view model) {
  for (const bool built_in : {false, true}) {
    for (const Route& route : policy.routes) {
      if (route.built_in == built_in && glob_match(route.match, model)) return &route;
    }
  }
  return nullptr;
}

Proof proof_of(const Policy& policy, const std::string& label, const Target& target) {
  const auto known = policy.proofs.find(label);
  if (label.empty() || known == policy.proofs.end()) return Proof::none;
  const auto proof = known->second.find(spelled(policy.providers[target.provider], target.model));
  return proof == known->second.end() ? Proof::none : proof->second;
}

bool runs_elsewhere(std::string_view model) {
  return model.ends_with("-cloud") || model.ends_with(":cloud");
}

const char* refused(const ProviderFacts& provider, const RequestFacts& facts,
                    const Policy& policy) {
  if (facts.this_machine_only && !provider.local) return "the request stays on this machine";
  switch (policy.share) {
    case Share::any:
      break;
    case Share::configured:
      if (!provider.in_config && !provider.local) return "privacy.share is \"configured\"";
      break;
    case Share::local:
      if (!provider.local) return "privacy.share is \"local\"";
      break;
  }
  if (facts.only_this_dialect && provider.dialect != facts.dialect) {
    return "the request has no form in its dialect";
  }
  return nullptr;
}

bool has_real_provider(const Policy& policy) {
  return std::any_of(policy.providers.begin(), policy.providers.end(),
                     [](const ProviderFacts& provider) {
                       const bool serves_freely =
                           provider.keyless && (provider.in_config || !provider.models.empty());
                       return !provider.self_test && (provider.has_key || serves_freely);
                     });
}

}  // namespace nl::router
