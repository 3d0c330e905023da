// LocalEngine: the supervised engine as the gateway's providers and status see it.
//
// Owns the Supervisor of the first worker's loop and one Readiness per worker. Made after the
// workers' loops, destroyed before them. The configuration is fixed for its life: a reload keeps
// the engine that runs.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/engine_choice.h"
#include "engine/supervisor.h"
#include "provider/provider.h"

namespace nl::app {

class LocalEngine {
 public:
  // `runtime_folder`: XDG_RUNTIME_DIR, or empty.
  LocalEngine(http::Loop& loop, const EngineChoice& choice, const std::string& runtime_folder);
  ~LocalEngine();

  // What providers on `caller` wait for; lives as long as this.
  provider::Readiness& readiness_on(http::Loop& caller);
  const engine::Supervisor& supervisor() const { return supervisor_; }
  // Ends the child in order. On the supervisor's loop.
  http::asio::awaitable<void> stop() { return supervisor_.stop(); }

 private:
  class OnLoop;

  engine::Supervisor supervisor_;
  std::vector<std::unique_ptr<OnLoop>> loops_;
};

}  // namespace nl::app
