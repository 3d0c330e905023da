// DrillPanes: the drill on a terminal: tmux with the switchboard and Claude Code side by side.
//
// The outer drill starts a tmux server on a socket of its own and attaches the terminal to it; the
// inner drill, which plays, runs in the first pane and opens the second one for Claude Code. The
// server has ended when show() returns, and so has the inner drill, whatever happened to the
// terminal. Main thread.
#pragma once

#include <string>
#include <vector>

#include "base/environment.h"
#include "drill/claude.h"

namespace nl::drill {

class DrillPanes {
 public:
  // `socket` is a path in a private folder.
  DrillPanes(std::string tmux, std::string socket)
      : tmux_(std::move(tmux)), socket_(std::move(socket)) {}

  // Outer: runs `inner` in the first pane, until it has ended or the terminal is detached. Its exit
  // status. Errors: io.
  Result<int> show(const std::vector<std::string>& inner, const Environment& environment) const;
  // Inner: opens the pane on the left and starts Claude Code in it. Errors: io.
  Result<void> open_claude(const DrillClaude& claude, const std::string& prompt) const;
  // Inner, as its last act: lets the outer one go on.
  void tell_end() const;
  // Inner: ends that pane again, if it is still there; the session goes with the last pane.
  void close_claude() const;

 private:
  Result<int> tmux(const std::vector<std::string>& arguments,
                   const std::vector<std::string>& environment) const;

  // A file that is there while the inner drill plays.
  std::string playing() const { return socket_ + ".playing"; }

  std::string tmux_;
  std::string socket_;
};

}  // namespace nl::drill
