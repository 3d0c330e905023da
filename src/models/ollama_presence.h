// What an Ollama on this machine holds in memory: nothing large is loaded beside it.
//
// Asks GET /api/ps of the daemon that OLLAMA_HOST or the usual address names; nobody there = none.
// Blocking, a third of a second at most; never for the data path. Any thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/environment.h"

namespace nl::models {

// The name of a model that is resident; empty = none of a size that matters.
std::string ollama_resident(const Environment& environment);
// What a start of the engine asks: "" = it may be loaded, else why not. Any thread.
std::function<std::string()> ollama_watch(const Environment& environment);
// The name in the answer to /api/ps.
std::string resident_model(std::string_view json);

}  // namespace nl::models
