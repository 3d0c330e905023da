// discover: local model servers, found by asking them what they have.
//
// Asks the local providers that the configuration names without a model and, unless discovery is
// off, the usual ports of Ollama and LM Studio on this machine. Sends no key, never asks this
// gateway itself. Blocking, at start-up only: a port on which nothing listens costs no time.
#pragma once

#include <string_view>
#include <vector>

#include "app/policy.h"
#include "base/clock.h"
#include "config/config.h"

namespace nl::app {

std::vector<FoundServer> discover(const config::Config& config, Duration within);

// The names of the chat models in the answer to GET /v1/models or, Ollama's own, GET /api/tags;
// models that cannot chat by their name are left out. Empty when `json` is no such answer.
std::vector<std::string> chat_models(std::string_view json);

}  // namespace nl::app
