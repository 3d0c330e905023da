#include "app/local_engine.h"

#include <algorithm>
#include <utility>

namespace nl::app {
namespace {

// How long a client that has left may go unnoticed while the engine starts.
constexpr Duration kLookAtClient = std::chrono::milliseconds(500);

engine::SupervisorOptions options_for(const models::EngineChoice& choice, LocalEngineParts parts) {
  engine::SupervisorOptions options;
  options.start = choice.eager ? engine::Start::eager : engine::Start::on_demand;
  options.preparation.runtime_folder = std::move(parts.runtime_folder);
  options.preparation.fit_record = choice.fit_record;
  options.preparation.occupied = choice.occupied;
  options.adopt = std::move(parts.left);
  return options;
}

}  // namespace

class LocalEngine::OnLoop final : public provider::Readiness {
 public:
  OnLoop(engine::Supervisor& supervisor, http::Loop& loop) : supervisor_(supervisor), loop_(loop) {}

  http::asio::awaitable<Result<http::Endpoint>> ready(http::Cancel& cancel,
                                                      Instant until) override {
    for (;;) {
      const Instant look = std::min(until, loop_.now() + kLookAtClient);
      auto there = co_await supervisor_.ready(loop_, look);
      if (there || there.error().code != ErrorCode::timeout || loop_.now() >= until) {
        co_return there;
      }
      if (cancel.fired()) co_return fail(ErrorCode::cancelled, "the client has left");
    }
  }
  void report_stall() override { supervisor_.report_stall(); }
  void report_answer() override { supervisor_.report_answer(); }
  std::optional<provider::Senses> senses() const override {
    const std::optional<engine::Senses> said = supervisor_.senses();
    if (!said) return std::nullopt;
    return provider::Senses{said->images, said->sound};
  }

 private:
  engine::Supervisor& supervisor_;
  http::Loop& loop_;
};

LocalEngine::LocalEngine(http::Loop& loop, const models::EngineChoice& choice,
                         LocalEngineParts parts)
    : supervisor_(loop, choice.wanted, options_for(choice, std::move(parts))) {}

void LocalEngine::use(const models::EngineChoice& choice) {
  supervisor_.use(choice.wanted);
  if (choice.eager) supervisor_.start();
}

LocalEngine::~LocalEngine() = default;

provider::Readiness& LocalEngine::readiness_on(http::Loop& caller) {
  loops_.push_back(std::make_unique<OnLoop>(supervisor_, caller));
  return *loops_.back();
}

}  // namespace nl::app
