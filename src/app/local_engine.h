// LocalEngine: the supervised engine as the gateway's providers and status see it.
//
// Owns the Supervisor of the first worker's loop and one Readiness per worker. Made after the
// workers' loops, destroyed before them. A reload keeps the engine that runs; a model that was
// missing and has been pulled is taken by use().
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/supervisor.h"
#include "models/engine_choice.h"
#include "provider/provider.h"

namespace nl::app {

struct LocalEngineParts {
  std::string runtime_folder;               // XDG_RUNTIME_DIR, or empty
  std::optional<engine::HandedChild> left;  // by an earlier program in this process
};

class LocalEngine {
 public:
  LocalEngine(http::Loop& loop, const models::EngineChoice& choice, LocalEngineParts parts);
  ~LocalEngine();

  // What providers on `caller` wait for; lives as long as this.
  provider::Readiness& readiness_on(http::Loop& caller);
  const engine::Supervisor& supervisor() const { return supervisor_; }
  // Runs this model instead.
  void use(const models::EngineChoice& choice);
  engine::Supervisor& supervisor() { return supervisor_; }
  // Ends the child in order. On the supervisor's loop.
  http::asio::awaitable<void> stop() { return supervisor_.stop(); }
  // Leaves the child to a successor in this process. On the supervisor's loop.
  http::asio::awaitable<std::optional<engine::HandedChild>> hand_over() {
    return supervisor_.hand_over();
  }

 private:
  class OnLoop;

  engine::Supervisor supervisor_;
  std::vector<std::unique_ptr<OnLoop>> loops_;
};

}  // namespace nl::app
