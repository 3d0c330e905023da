// DrillClouds: the two scripted clouds and the signals of the process, on a thread of their own.
//
// Tier 1 speaks Anthropic Messages, tier 2 OpenAI Chat Completions. set() may come from any one
// thread and returns once it is so. The first SIGINT, SIGTERM or SIGHUP is noted, not obeyed:
// whoever drives the drill looks at stopped() and cleans up.
#pragma once

#include <array>
#include <atomic>
#include <boost/asio/signal_set.hpp>
#include <functional>
#include <memory>
#include <thread>

#include "drill/cloud.h"
#include "http/loop.h"

namespace nl::drill {

inline constexpr int kDrillClouds = 2;

struct DrillPace {
  Duration word_pause{};
  Duration limit_reset{};
  int steps = 3;
};

class DrillClouds {
 public:
  explicit DrillClouds(const DrillPace& pace);
  ~DrillClouds();
  DrillClouds(const DrillClouds&) = delete;
  DrillClouds& operator=(const DrillClouds&) = delete;

  // Errors: io.
  Result<void> start();
  // `tier` is 1 or 2.
  std::uint16_t port(int tier) const { return ports_[static_cast<std::size_t>(tier - 1)]; }
  Result<void> set(int tier, CloudMode mode);
  void go_dark_after(int tier, int words);
  CloudMode mode(int tier);
  bool stopped() const { return stopped_; }
  const std::atomic<bool>& stop_flag() const { return stopped_; }
  Duration limit_reset() const { return limit_reset_; }

 private:
  Result<void> on_loop(const std::function<Result<void>()>& action);
  DrillCloud& cloud(int tier) { return *clouds_[static_cast<std::size_t>(tier - 1)]; }

  SystemClock clock_;
  // A request that is cut off dies with the loop, and still looks at its cloud then.
  std::array<std::unique_ptr<DrillCloud>, kDrillClouds> clouds_;
  http::Loop loop_{clock_};
  boost::asio::signal_set signals_{loop_.io(), SIGINT, SIGTERM, SIGHUP};
  std::array<std::uint16_t, kDrillClouds> ports_{};
  std::atomic<bool> stopped_{false};
  Duration limit_reset_;
  std::thread thread_;
};

}  // namespace nl::drill
