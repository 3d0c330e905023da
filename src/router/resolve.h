// Resolving: from a TargetSpec and the model that the client asked for to a Target and its facts.
//
// A step of the planner, pure. A provider alone becomes the asked model if the provider has it,
// else its model of the same class; never a name it is not known to have, unless nothing at all is
// known of it.
#pragma once

#include <string>
#include <string_view>

#include "router/planner.h"
#include "router/route.h"

namespace nl::router {

// The class of `model`: from any provider's facts, else from the words in its name.
chat::ModelClass class_of(std::string_view model, const Policy& policy);

// Whether the asked model is this provider's own: listed by it, or of its prefixes.
bool serves(const ProviderFacts& provider, std::string_view model);

// The model this provider would serve for `asked`.
std::string resolve_model(const ProviderFacts& provider, std::string_view asked,
                          const Policy& policy);

// The first route for that model's name, the user's before the built-in ones; null = none.
const Route* matching_route(const Policy& policy, std::string_view model);

// What the user's tasks of that label have shown of a target.
Proof proof_of(const Policy& policy, const std::string& label, const Target& target);

// What is known of `model` at `provider`; unknown fields stay absent.
chat::ModelFacts facts_of(const ProviderFacts& provider, std::string_view model,
                          const Policy& policy);

// "provider/model" for people and the ledger.
std::string spelled(const ProviderFacts& provider, std::string_view model);

// Ollama serves models of its maker's machines beside those of this one, under such names.
bool runs_elsewhere(std::string_view model);

// Why `provider` may not see this request or has no form for it; null = it may be used.
const char* refused(const ProviderFacts& provider, const RequestFacts& facts, const Policy& policy);

// Whether any provider but the self-test model's could answer somebody: it has a key, or it needs
// none and was named by the user or has a model.
bool has_real_provider(const Policy& policy);

}  // namespace nl::router
