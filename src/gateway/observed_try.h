// ObservedTry: a try at one target, as far as the turn's observer is concerned.
//
// Before a try at a model on this machine whoever reads ahead there gives way, until the try has
// ended; what an earlier try had answered is forgotten. Lives on the request's loop, in the
// attempt's frame.
#pragma once

#include "gateway/attempt.h"
#include "gateway/turn.h"

namespace nl::gateway {

class ObservedTry {
 public:
  ObservedTry(Turn& turn, const AttemptSetup& setup)
      : turn_(turn), here_(is_here(setup.upstreams.policy, setup.candidate)) {}
  ObservedTry(const ObservedTry&) = delete;
  ObservedTry& operator=(const ObservedTry&) = delete;
  ~ObservedTry() {
    if (begun_) turn_.observer->local_ended();
  }

  // Only where there is an observer.
  http::asio::awaitable<void> begin() {
    turn_.kept.emplace();
    begun_ = here_;
    if (here_) {
      co_await turn_.observer->make_way(turn_.exchange.loop(), turn_.facts.conversation);
    }
  }

 private:
  Turn& turn_;
  const bool here_;
  bool begun_ = false;
};

}  // namespace nl::gateway
