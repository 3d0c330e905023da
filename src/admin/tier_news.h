// TierNews: from who answers now to what is worth a message: "Claude limit reached: OpenRouter
// answers", and later "Claude answers again".
//
// Compares what stands with what was last said, so that a change missed is no change lost, and says
// at most one thing per provider in a quiet time. Pure; time is passed in. One thread.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "gateway/tally.h"

namespace nl::admin {

struct TierNews {
  std::string text;  // for people
  std::string preferred;
  std::string tier, provider, model;  // who answers now
  std::string reason;                 // why; empty when the preferred one is back
};

class TierWatch {
 public:
  explicit TierWatch(Duration quiet) : quiet_(quiet) {}

  // Goes on where `earlier` stood, under its own quiet time.
  void take_over(TierWatch earlier) { said_ = std::move(earlier.said_); }
  std::vector<TierNews> look(const std::vector<gateway::Answering>& answering, Instant now);

 private:
  struct Said {
    std::string provider;
    Instant at{};
    bool ever = false;
  };
  Duration quiet_;
  std::map<std::string, Said> said_;  // by the preferred provider
};

// As a webhook is sent it. `at` is in UTC, "2026-11-25T23:00:00Z".
std::string news_json(const TierNews& news, std::string_view at);

}  // namespace nl::admin
