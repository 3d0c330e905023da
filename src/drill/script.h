// DrillScript: the fixed blackout of `drill --demo --script`.
//
// Cuts tier after tier, in the middle of a sentence too, asks what the vendors' SDKs and the real
// Claude Code would ask, and checks who answers and that no client is left with an error. Main
// thread, blocking; ends early when the drill is stopped.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "drill/claude.h"
#include "drill/client.h"
#include "drill/report.h"

namespace nl::drill {

class DrillScript {
 public:
  using Say = std::function<void(const std::string& line)>;

  // `claude` may be null: its steps are then left out.
  DrillScript(DrillStage& stage, DrillClaude* claude, Say say);

  // All steps, as far as they went.
  std::vector<DrillStep> run();

 private:
  void begin(const std::string& name, const std::string& cut);
  void note(const std::string& text);
  void failed(const std::string& text);
  void set(int tier, CloudMode mode);

  // Asks, once more where an answer broke after its first words, and enters what failed.
  std::vector<DrillAnswer> ask(const std::vector<DrillQuestion>& questions);
  std::vector<DrillQuestion> in_all_forms(const std::string& text, DrillTools tools) const;
  void expect_tier(const std::vector<DrillAnswer>& answers, const std::string& tier);

  void all_up();
  void limit();
  void tier_one_dark();
  void mid_sentence();
  void engine_recalls();
  void engine_runs();
  void finish_call(const DrillQuestion& asked, const DrillAnswer& proposed);
  void restore();
  void claude_works();
  void claude_in_the_dark();

  DrillStage& stage_;
  DrillClaude* claude_;
  Say say_;
  DrillClient client_;
  std::vector<DrillStep> steps_;
};

}  // namespace nl::drill
