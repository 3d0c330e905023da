#include "app/local_engine.h"

namespace nl::app {
namespace {

engine::SupervisorOptions options_for(const EngineChoice& choice,
                                      const std::string& runtime_folder) {
  engine::SupervisorOptions options;
  options.start = choice.eager ? engine::Start::eager : engine::Start::on_demand;
  options.preparation.runtime_folder = runtime_folder;
  return options;
}

}  // namespace

class LocalEngine::OnLoop final : public provider::Readiness {
 public:
  OnLoop(engine::Supervisor& supervisor, http::Loop& loop) : supervisor_(supervisor), loop_(loop) {}

  http::asio::awaitable<Result<http::Endpoint>> ready(Instant until) override {
    return supervisor_.ready(loop_, until);
  }
  void report_stall() override { supervisor_.report_stall(); }

 private:
  engine::Supervisor& supervisor_;
  http::Loop& loop_;
};

LocalEngine::LocalEngine(http::Loop& loop, const EngineChoice& choice,
                         const std::string& runtime_folder)
    : supervisor_(loop, choice.wanted, options_for(choice, runtime_folder)) {}

LocalEngine::~LocalEngine() = default;

provider::Readiness& LocalEngine::readiness_on(http::Loop& caller) {
  loops_.push_back(std::make_unique<OnLoop>(supervisor_, caller));
  return *loops_.back();
}

}  // namespace nl::app
