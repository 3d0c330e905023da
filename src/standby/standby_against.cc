#include <fmt/format.h>

#include <cmath>

#include "standby/standby_core.h"

namespace nl::standby {
namespace {

constexpr Duration kSurroundingsEvery = std::chrono::seconds(5);
constexpr double kMinute = 60;

}  // namespace

// What speaks against reading ahead now; empty = nothing.
std::string Standby::Core::against(Instant now) {
  if (options_.mode == Mode::off) return "off";
  if (!target_) return "no model to read to";
  if (local_.load() > 0) return "a local request runs";
  if (now < local_ended_at_ + options_.rest_after_local) return "a local request has just run";
  if (const std::optional<std::string> engine = against_engine(now)) return *engine;
  return against_surroundings(now);
}

std::optional<std::string> Standby::Core::against_engine(Instant now) {
  engine::Supervisor* engine = engine_.load();
  if (engine == nullptr) return std::nullopt;
  const engine::EngineState state = engine->snapshot();
  if (state.condition != engine::Condition::ready) {
    // Who wants it in any case wants it to be there when the cloud is not.
    const bool asleep = state.condition == engine::Condition::stopped && !state.halted;
    if (options_.mode == Mode::on && asleep && book_.has_tool_conversation(now)) engine->start();
    return fmt::format("the engine is {}", engine::name(state.condition));
  }
  const bool another = state.pid != engine_pid_ || state.ready_since != engine_since_;
  if (another && engine_pid_ != -1) {
    book_.forget_warm();
    const std::lock_guard<std::mutex> lock(mutex_);
    ++state_.rereads;
  }
  engine_pid_ = state.pid;
  engine_since_ = state.ready_since;
  return std::nullopt;
}

std::string Standby::Core::against_surroundings(Instant now) {
  if (options_.mode == Mode::on) return {};
  if (looked_at_ != Instant() && now - looked_at_ < kSurroundingsEvery) return spoke_against_;
  looked_at_ = now;
  count_time(now);
  const double others = surroundings_->load() - busy_;
  spoke_against_.clear();
  if (!surroundings_->on_mains()) {
    spoke_against_ = "on battery";
  } else if (others > options_.load_max) {
    spoke_against_ = fmt::format("this machine is busy (load {:.1f} per core)", others);
  }
  return spoke_against_;
}

// Brings busy_ up to `now`; the time since the last count was spent as cancel_ tells.
void Standby::Core::count_time(Instant now) {
  if (counted_at_ != Instant()) {
    const double passed = std::chrono::duration<double>(now - counted_at_).count();
    busy_ += (1 - std::exp(-passed / kMinute)) * ((cancel_ == nullptr ? 0.0 : 1.0) - busy_);
  }
  counted_at_ = now;
}

}  // namespace nl::standby
