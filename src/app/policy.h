// Routing: from a Config to what the planner and the providers need; the built-in routes.
//
// policy.providers[i], settings[i] and config.providers[i] are the same provider; the engine and
// servers that were found come behind them. Pure. The
// built-in routes ("right model, right job") stand in only where the user named no tiers, routes or
// tasks and OpenRouter has a key: without that they would send requests where nothing can answer.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "chat/local_form.h"
#include "config/config.h"
#include "gateway/options.h"
#include "gateway/upstreams.h"
#include "models/engine_choice.h"
#include "provider/provider.h"
#include "router/planner.h"

namespace nl::app {

// Published with the routing that it goes with.
struct Routing {
  router::Policy policy;
  std::shared_ptr<chat::LocalForm> local_form;  // null: requests go to local models as they are
  std::vector<provider::Setting> settings;
  gateway::TurnObserver* observer = nullptr;  // null = nobody reads along
};

// `engine`: the supervised engine's model, or null: then targets of that name are left out.
Routing make_routing(const config::Config& config, const models::EngineChoice* engine = nullptr);

// A local server that was found running, with the chat models it lists.
struct FoundServer {
  std::string name;      // "ollama", "lmstudio"
  std::string base_url;  // as configuration takes it
  std::vector<std::string> models;
  dialect::DialectId dialect = dialect::DialectId::openai_chat;
};

// Adds the server's models to the provider of that name, or the server as a new last provider of
// the local tier. A server without a model, or one that the configuration does not want, changes
// nothing: a file that names tiers or routes uses only what it names.
void add_found(Routing& routing, const FoundServer& found, const config::Config& config);

gateway::GatewayOptions gateway_options(const config::Config& config);

}  // namespace nl::app
