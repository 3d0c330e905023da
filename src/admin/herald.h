// Herald: tells people of a change of tier: by a desktop notification, by a webhook.
//
// Off the data path: a thread and a loop of its own that looks at the tally twice a second. One
// message at a time, each with a limit; while one is on its way nothing piles up, for what stands
// is looked at afresh. Says no prompt and no key, and never where the webhook is. begin() and
// stop() on the main thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "gateway/tally.h"
#include "http/client.h"
#include "http/webhook.h"

namespace nl::admin {

struct HeraldSettings {
  std::optional<http::Webhook> webhook;
  // notify-send or the like with its words, the text comes behind them, and its environment; empty
  // = no desktop.
  std::vector<std::string> desktop_command;
  std::vector<std::string> desktop_environment;
  std::string scratch;  // a file for what that program says
  Duration quiet = std::chrono::seconds(60);
  http::ClientOptions client;
};

class Herald {
 public:
  // `tally` outlives it.
  Herald(const Clock& clock, gateway::Tally& tally, HeraldSettings settings);
  // Says nothing again that `earlier`, which is stopped by that, has said. Before begin().
  void succeed(Herald& earlier);
  ~Herald();
  Herald(const Herald&) = delete;
  Herald& operator=(const Herald&) = delete;

  void begin();
  // Drops what is on its way.
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nl::admin
