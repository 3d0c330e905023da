#include <fmt/format.h>

#include "app/serving.h"
#include "app/task_floors.h"
#include "base/log.h"

namespace nl::app {

namespace {

constexpr auto kLookEvery = std::chrono::seconds(1);

}  // namespace

// Into routing_. A file that is damaged takes nothing away from what was known.
void Serving::take_task_floors(const config::Config& config) {
  // The stamp first: what is written in between is read again.
  floors_stamp_ = floors_stamp(config);
  auto known = known_readiness(config);
  if (known) {
    floors_ = std::move(*known);
  } else {
    log::warn("{}; routing goes by what was known before", known.error().message);
  }
  routing_.policy.proofs.clear();
  add_proofs(routing_.policy, floors_);
}

// Whoever grades a task wants the next request to go by it, not the next start.
void Serving::watch_task_floors() {
  if (!floors_timer_) {
    floors_timer_ =
        std::make_unique<boost::asio::steady_timer>(workers_.front()->loop.io(), kLookEvery);
  }
  floors_timer_->expires_after(kLookEvery);
  floors_timer_->async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    if (!draining_ && floors_stamp(published_) != floors_stamp_) {
      take_task_floors(published_);
      hand_out();
      log::info("tasks: routing goes by their readiness as it is now");
    }
    watch_task_floors();
  });
}

}  // namespace nl::app
