// DrillSwitchboard: the person's hands on the plugs, and what the gateway makes of it, live.
//
// Reads single keys from the terminal and follows the drill gateway's ledger; every request and
// every switch becomes a line with its time and reason. Main thread, blocking; returns when the
// person ends it, the terminal is gone or the drill is stopped.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "drill/claude.h"
#include "drill/report.h"

namespace nl::drill {

// What a key does; `none` for one that means nothing here.
enum class DrillKey : std::uint8_t { cut_1, cut_2, limit, network, restore, end, none };
DrillKey drill_key(char pressed);

// The lines that `row` is worth, given who answered before ("" = nobody yet).
std::vector<std::string> live_lines(const state::RequestRow& row, const std::string& tier_before);

class DrillSwitchboard {
 public:
  explicit DrillSwitchboard(DrillStage& stage) : stage_(stage) {}

  // The steps: one for the start, one for each key that changed something.
  std::vector<DrillStep> run();

 private:
  bool press(DrillKey key);
  void step(const std::string& name, const std::string& cut);
  void set(int tier, CloudMode mode);
  void follow();
  void say(const std::string& text) const;

  DrillStage& stage_;
  std::vector<DrillStep> steps_;
  std::string last_id_;
  std::string tier_;
};

}  // namespace nl::drill
