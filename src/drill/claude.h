// DrillClaude: the real Claude Code, found and started for a drill.
//
// Found as `claude` on PATH, else in the test clients of this source tree. It gets a home of the
// drill's and a stand-in credential that goes no further than the drill's gateway. Main thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "drill/stage.h"

namespace nl::drill {

struct ClaudeProgram {
  std::string file;
  std::string node_folder;  // put before PATH: the node that it runs on; empty = PATH's
  std::string version;      // "2.1.330 (Claude Code)"; empty = it does not say
};
// Nothing when it is not installed.
std::optional<ClaudeProgram> find_claude(const Environment& environment);
// How to get it.
std::string claude_install_line();

// Claude Code's own statement of how a run went.
struct ClaudeRun {
  int exit = -1;
  bool good = false;       // a result came and it is no error
  std::string result;      // its last words
  std::string shell_said;  // what came back from its Bash calls, as JSON
};
// Reads the lines of --output-format stream-json.
ClaudeRun read_claude_lines(std::string_view lines);

enum class ClaudeTalk : std::uint8_t { fresh, go_on };

class DrillClaude {
 public:
  DrillClaude(DrillStage& stage, ClaudeProgram program);

  // Runs it without a terminal; ends it when the drill is stopped or after `within`.
  ClaudeRun run(const std::string& prompt, ClaudeTalk talk, Duration within);
  // For a terminal: the arguments and the environment.
  std::vector<std::string> arguments(const std::string& prompt) const;
  std::vector<std::string> environment() const;
  std::string work_folder() const { return stage_.folder() + "/claude/work"; }

 private:
  DrillStage& stage_;
  ClaudeProgram program_;
};

}  // namespace nl::drill
