// drill: rehearse the blackout through the true path: `nightlight drill --demo`.
//
// Builds the stage (stage.h), plays on it by a script or by a person's keys, and writes the report.
// Everything it started has ended when it returns. Main thread, before others run.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/environment.h"

namespace nl::drill {

// Who pulls the plugs.
enum class DrillPlay : std::uint8_t { terminal, script };

struct DrillOptions {
  DrillPlay play = DrillPlay::terminal;
  std::string out;          // --out; empty = below the state folder
  std::string pane_socket;  // of the tmux that this drill runs in; empty = none
};

// What is missing for the local engine, half of the drill; empty = nothing.
using EngineTrouble = std::function<std::string()>;

// The command; 0 when no client saw an error.
int drill(const DrillOptions& options, const Environment& environment,
          const EngineTrouble& engine_trouble);

}  // namespace nl::drill
