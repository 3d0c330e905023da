#include "standby/standby.h"

#include <boost/asio/post.hpp>

#include "standby/standby_core.h"

namespace nl::standby {
namespace {

namespace asio = boost::asio;

// The longest that a real request waits for the engine to let go of a reading.
constexpr Duration kWayWithin = std::chrono::seconds(12);

}  // namespace

Standby::Standby(const Clock& clock, StandbyOptions options,
                 std::unique_ptr<Surroundings> surroundings)
    : core_(std::make_unique<Core>(clock, options, std::move(surroundings))) {}

Standby::~Standby() {
  stop();
}

void Standby::begin() {
  core_->begin();
}

void Standby::stop() {
  core_->stop();
}

void Standby::aim(std::optional<Target> target) {
  // Turns that come behind this are posted behind it.
  core_->name_target(target ? target->setting.name : std::string());
  asio::post(core_->loop().io(), [core = core_.get(), target = std::move(target)]() mutable {
    core->aim(std::move(target));
  });
}

std::string Standby::target() const {
  return core_->target();
}

void Standby::turn_began(SeenTurn turn) {
  asio::post(core_->loop().io(), [core = core_.get(), turn = std::move(turn)]() mutable {
    core->turn_began(std::move(turn));
  });
}

void Standby::turn_answered(std::string turn_id, chat::KeptAnswer answer) {
  asio::post(core_->loop().io(), [core = core_.get(), turn_id = std::move(turn_id),
                                  answer = std::move(answer)]() mutable {
    core->turn_answered(turn_id, std::move(answer));
  });
}

void Standby::local_answered(std::int64_t tokens, std::int64_t cached) {
  core_->local_answered(tokens, cached);
}

asio::awaitable<void> Standby::make_way(http::Loop& caller, std::uint64_t conversation) {
  if (!core_->announce_local(conversation)) co_return;
  const auto gate = std::make_shared<Core::Gate>(caller);
  asio::post(core_->loop().io(), [core = core_.get(), gate]() { core->give_way(gate); });
  http::Alarm alarm(gate->wakeup);
  caller.wheel().arm(alarm, caller.now() + kWayWithin);
  co_await gate->wakeup.wait();
}

void Standby::local_ended() {
  core_->retire_local();
  asio::post(core_->loop().io(), [core = core_.get()]() { core->local_has_ended(); });
}

StandbyState Standby::snapshot() const {
  return core_->snapshot();
}

}  // namespace nl::standby
