#include <fmt/format.h>

#include "base/log.h"
#include "standby/standby_core.h"

namespace nl::standby {
namespace {

namespace asio = boost::asio;

// A closed connection is noticed after the batch at hand; slow machines take seconds for one. So
// long may the engine take for next to nothing, too.
constexpr Duration kLetGoWithin = std::chrono::seconds(10);

class Expiry final : public http::Timer {
 public:
  explicit Expiry(http::Cancel& cancel) : cancel_(cancel) {}

 private:
  void on_deadline() override { cancel_.fire(); }

  http::Cancel& cancel_;
};

provider::Setting with_engine(provider::Setting setting, provider::Readiness* engine) {
  setting.engine = engine;
  return setting;
}

}  // namespace

// Where the supervised engine is, without waiting for it.
class Standby::Core::WhereItIs final : public provider::Readiness {
 public:
  explicit WhereItIs(engine::Supervisor& engine) : engine_(engine) {}

  http::asio::awaitable<Result<http::Endpoint>> ready(http::Cancel&, Instant) override {
    engine::EngineState state = engine_.snapshot();
    if (state.condition != engine::Condition::ready) {
      co_return fail(ErrorCode::not_found, "the engine does not run");
    }
    co_return std::move(state.endpoint);
  }
  void report_stall() override { engine_.report_stall(); }

 private:
  engine::Supervisor& engine_;
};

Standby::Core::Core(const Clock& clock, StandbyOptions options,
                    std::unique_ptr<Surroundings> surroundings)
    : options_(options),
      surroundings_(std::move(surroundings)),
      loop_(clock),
      client_(loop_, http::ClientOptions()),
      book_(options.book),
      wake_(loop_) {
  publish();
}

Standby::Core::~Core() = default;

void Standby::Core::turn_to_next() {
  if (next_->elsewhere) engine_pid_ = -1;
  target_ = std::move(next_->target);
  next_.reset();
  provider_.reset();
  engine_ = target_ ? target_->engine : nullptr;
  where_ = engine_.load() == nullptr ? nullptr : std::make_unique<WhereItIs>(*target_->engine);
  if (target_) {
    provider_ =
        std::make_unique<provider::Provider>(client_, with_engine(target_->setting, where_.get()));
  }
}

// A request that is still on its way into the engine shows in none of its slots, and is not undone
// by closing its connection: it would take the slot that holds the conversation just before the
// real request looks for it. So its end waits for its beginning.
void Standby::Core::end_reading() {
  unwanted_ = true;
  if (cancel_ != nullptr && (begun_ || engine_.load() == nullptr)) cancel_->fire();
}

asio::awaitable<void> Standby::Core::let_in() {
  if (switching_.exchange(false)) co_await put_aside();
  open_gates();
}

// The engine looks for what it has read of a conversation in a slot that begins alike before it
// looks among what it has put aside, and overwrites there what differs. Conversations of one client
// begin alike, so what was read of one must be put aside before the engine turns to another: a
// request that resembles nothing makes it do so.
asio::awaitable<void> Standby::Core::put_aside() {
  const engine::Supervisor* engine = engine_.load();
  if (engine == nullptr || stopping_) co_return;
  const engine::EngineState state = engine->snapshot();
  if (state.condition != engine::Condition::ready || state.slots < 2) co_return;
  // All slots rest, unless real requests are at work: then any free one.
  const std::string slot =
      local_.load() > 0 ? std::string() : fmt::format(R"("id_slot":{},)", state.slots - 1);
  const std::string body = fmt::format(
      R"({{{}"messages":[{{"role":"user","content":"."}}],"max_tokens":0,"stream":true,)"
      R"("add_generation_prompt":false,"cache_prompt":true}})",
      slot);
  http::Cancel cancel;
  Expiry expiry(cancel);
  loop_.wheel().arm(expiry, loop_.now() + kLetGoWithin);
  aside_ = &cancel;
  const Result<Outcome> done = co_await read_ahead(*provider_, body, *this, cancel);
  aside_ = nullptr;
  if (!done) log::debug("standby: {}", done.error().message);
}

// Waits until the engine has noticed that a reading's connection was closed.
asio::awaitable<void> Standby::Core::let_go() {
  const engine::Supervisor* engine = engine_.load();
  if (engine == nullptr || stopping_) co_return;
  const engine::EngineState state = engine->snapshot();
  if (state.condition != engine::Condition::ready) co_return;
  const Instant until = loop_.now() + kLetGoWithin;
  co_await until_free(client_, state.endpoint, until);
}

}  // namespace nl::standby
