// Health: what is known of every target right now. Shared by all loops; small locks, never held
// across a suspension.
//
// Holds the breakers, the cooldowns of keys and providers, dead credentials, the client-owned
// tokens that failed in the last 60 s, and the targets that broke mid-answer for a conversation
// (they go last there). Every map is bounded; the oldest entry goes first. Time is passed in.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "router/breaker.h"
#include "router/route.h"
#include "router/verdict.h"

namespace nl::router {

struct TargetState {
  std::string provider;
  std::string model;
  BreakerState state = BreakerState::closed;
  Instant ready_at{};
  std::string reason;
};

class Health {
 public:
  Health();
  ~Health();
  Health(const Health&) = delete;
  Health& operator=(const Health&) = delete;

  // Multiplies every time below and in the breakers that upstreams do not state themselves.
  // Before the first attempt.
  void scale_times(double scale);

  // What blocks: a breaker may be overruled when nothing else is left, a limit or a dead key not.
  enum class Block : std::uint8_t { breaker, quota, credential };

  // Why `target` must not be tried at `now`, or nothing. `credential_mark` tells keys apart (a
  // configured key or a client's token). Never takes a probe.
  struct Blocked {
    std::string why;
    Instant ready_at{};
    Block block = Block::breaker;
    // Another attempt is on its way there; `ready_at` is when it is given up at the latest.
    bool being_tested = false;
  };
  std::optional<Blocked> blocked(const ProviderFacts& provider, const Target& target,
                                 std::uint64_t credential_mark, Instant now) const;
  // Called right before an attempt: false when another attempt has just taken the only probe.
  bool begin(const ProviderFacts& provider, const Target& target, std::uint64_t credential_mark,
             Instant now);
  void succeeded(const ProviderFacts& provider, const Target& target, std::uint64_t credential_mark,
                 Instant now);
  void failed(const ProviderFacts& provider, const Target& target, std::uint64_t credential_mark,
              const Verdict& verdict, Instant now);
  void abandoned(const ProviderFacts& provider, const Target& target,
                 std::uint64_t credential_mark);

  // A 401 on a client-owned token: true the first time within 60 s (return it to the client so that
  // it can refresh), false when the same token failed again (fail over).
  bool first_rejection(std::uint64_t credential_mark, Instant now);

  // `target` broke mid-answer in `conversation`: it goes last there for 5 minutes.
  void demote(std::uint64_t conversation, const std::string& provider, Instant now);
  bool demoted(std::uint64_t conversation, const std::string& provider, Instant now) const;

  // Two cloud providers could not be reached within 30 s and nothing came from any since: the
  // machine looks offline. Lasts until a cloud provider answers anything at all.
  bool offline(Instant now) const;
  // While offline: whether one attempt at a cloud target is due (every 5 s, growing to 60 s). The
  // next begin() at a cloud target takes it.
  bool probe_due(Instant now) const;
  // For `status`.
  std::vector<TargetState> snapshot(Instant now) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nl::router
