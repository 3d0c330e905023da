// Failover: walks a plan until somebody answers, waits when nobody can, and says so when it must.
//
// Each failed attempt becomes a Verdict; the verdict decides whether the next target is tried,
// which ones still qualify, or that the failure is the caller's and goes back as it is. When every
// target is out for a while the request waits in a bounded queue, its stream kept alive, and is
// planned anew. One object per Turn; loop thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "gateway/attempt.h"
#include "gateway/client_stream.h"
#include "gateway/options.h"
#include "gateway/spend.h"
#include "gateway/turn.h"
#include "gateway/upstreams.h"
#include "router/health.h"
#include "router/verdict.h"

namespace nl::gateway {

// Requests waiting for a target, over all loops.
class WaitingRoom;

struct FailoverParts {
  const Upstreams& upstreams;
  router::Health& health;
  SpendGuard& spend;
  WaitingRoom& waiting;
  const GatewayOptions& options;
};

class Failover {
 public:
  Failover(Turn& turn, const FailoverParts& parts);

  // Answers the turn, one way or another. Afterwards turn.row holds the story.
  http::asio::awaitable<void> run();

 private:
  enum class Step : std::uint8_t { done, next, again };
  enum class After : std::uint8_t { done, exhausted };

  router::Plan make_plan();
  std::string why_not_preferred(const router::Plan& plan) const;
  http::asio::awaitable<After> walk(router::Plan& plan);
  http::asio::awaitable<Step> try_candidate(const router::Plan& plan, std::size_t index);
  http::asio::awaitable<Step> after_failure(const router::Plan& plan, std::size_t index,
                                            AttemptResult result);
  http::asio::awaitable<Step> return_refusal(const router::Candidate& candidate,
                                             AttemptResult result);
  http::asio::awaitable<bool> wait_for_target(const router::Plan& plan);
  http::asio::awaitable<void> say_exhausted(const router::Plan& plan);
  void settle_success(const router::Candidate& candidate, const AttemptResult& result);
  bool is_metered(const router::Candidate& candidate) const;
  bool excluded(const router::Candidate& candidate) const;
  void may_pass(const router::Candidate& candidate);
  bool is_any_passing() const;
  bool must_tell(const router::Plan& plan) const;
  bool another_after(const router::Plan& plan, std::size_t index) const;
  std::uint64_t credential_mark(const router::Candidate& candidate) const;
  std::string target_name(const router::Target& target) const;
  bool is_named(const router::Target& target, std::string_view name) const;
  state::AttemptRow& record(const router::Candidate& candidate, const AttemptResult& result);
  Answerer answerer(const router::Candidate& candidate, const std::string& preferred) const;

  Turn& turn_;
  const FailoverParts& parts_;
  ClientStream client_;
  int attempts_ = 0;
  Duration backoff_ = std::chrono::milliseconds(250);
  std::string reason_;  // why the preferred target did not answer
  // What a capability failure asks of the targets that are left.
  std::optional<std::int64_t> window_above_;
  std::vector<std::string> without_;      // provider/model that cannot do this request
  std::optional<AttemptResult> telling_;  // the capability failure to report if nobody can
  std::string failures_;                  // every failure once, in a line, for the last word
  std::vector<std::string> passing_;      // "provider/model" whose failure may pass by itself
};

class WaitingRoom {
 public:
  explicit WaitingRoom(std::size_t places) : places_(places) {}
  // A place, given back when it dies.
  class Place {
   public:
    explicit Place(WaitingRoom& room) : room_(&room) {}
    Place(Place&& other) noexcept : room_(std::exchange(other.room_, nullptr)) {}
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (room_ != nullptr) --room_->taken_;
    }

   private:
    WaitingRoom* room_;
  };
  // Nothing when the room is full.
  std::optional<Place> enter() {
    if (++taken_ > places_) {
      --taken_;
      return std::nullopt;
    }
    return std::optional<Place>(std::in_place, *this);
  }

 private:
  const std::size_t places_;
  std::atomic<std::size_t> taken_{0};
};

}  // namespace nl::gateway
