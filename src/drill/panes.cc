#include "drill/panes.h"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/process_child.h"

namespace nl::drill {
namespace {

constexpr Duration kBetween = std::chrono::milliseconds(20);
// For the inner drill to write its report and to clean up.
constexpr Duration kLastAct = std::chrono::seconds(30);
constexpr const char* kSession = "drill";
constexpr const char* kRightPane = "drill:0.{right}";
constexpr const char* kStatusLine =
    " nightlight drill   1 cut tier 1   2 cut tier 2   l limit   n network   r restore   q end   "
    "(click a pane to type in it)";

std::string folder_of(const std::string& file) {
  return std::filesystem::path(file).parent_path();
}

// The user's variables as they are: tmux and its terminal need some, and no key is read by them.
std::vector<std::string> terminal_variables(const Environment& environment) {
  std::vector<std::string> variables;
  for (const char* name :
       {"PATH", "HOME", "TERM", "COLORTERM", "LANG", "LC_ALL", "LC_CTYPE", "SHELL", "TMPDIR",
        "XDG_STATE_HOME", "NIGHTLIGHT_LLAMA_SERVER", "ASAN_OPTIONS", "UBSAN_OPTIONS"}) {
    if (const auto value = environment.find(name)) {
      variables.push_back(fmt::format("{}={}", name, *value));
    }
  }
  return variables;
}

}  // namespace

Result<int> DrillPanes::tmux(const std::vector<std::string>& arguments,
                             const std::vector<std::string>& environment) const {
  ChildOrder order;
  order.arguments = {tmux_, "-f", "/dev/null", "-S", socket_};
  order.arguments.insert(order.arguments.end(), arguments.begin(), arguments.end());
  order.environment = environment;
  order.folder = folder_of(socket_);
  order.output = folder_of(socket_) + "/tmux.log";
  auto child = Child::start(order);
  if (!child) return std::unexpected(child.error());
  while (!child->poll()) std::this_thread::sleep_for(kBetween);
  return *child->poll();
}

Result<int> DrillPanes::show(const std::vector<std::string>& inner,
                             const Environment& environment) const {
  const std::vector<std::string> variables = terminal_variables(environment);
  // From here on a signal only ends the show.
  boost::asio::io_context io;
  bool stopped = false;
  boost::asio::signal_set signals(io, SIGINT, SIGTERM, SIGHUP);
  signals.async_wait([&stopped](const boost::system::error_code&, int) { stopped = true; });
  std::ofstream(playing()).put('\n');
  std::vector<std::string> start = {"new-session", "-d", "-s", kSession, "-x", "200", "-y", "50"};
  start.emplace_back("--");
  start.insert(start.end(), inner.begin(), inner.end());
  const auto started = tmux(start, variables);
  if (!started) return started;
  if (*started != 0) return fail(ErrorCode::io, "tmux could not start a session");
  for (const std::vector<std::string>& setting : std::vector<std::vector<std::string>>{
           {"set-option", "-g", "mouse", "on"},
           {"set-option", "-g", "status-left", ""},
           {"set-option", "-g", "status-right", ""},
           {"set-option", "-g", "window-status-format", ""},
           {"set-option", "-g", "window-status-current-format", kStatusLine}}) {
    (void)tmux(setting, variables);
  }
  ChildOrder attach;
  attach.arguments = {tmux_, "-f", "/dev/null", "-S", socket_, "attach-session", "-t", kSession};
  attach.environment = variables;
  attach.folder = folder_of(socket_);
  auto child = Child::start(attach);
  if (!child) {
    (void)tmux({"kill-server"}, variables);
    return std::unexpected(child.error());
  }
  while (!child->poll() && !stopped) {
    io.poll();
    std::this_thread::sleep_for(kBetween);
  }
  // Detached by hand, or its terminal is gone: the drill ends with it.
  (void)tmux({"kill-server"}, variables);
  const SystemClock clock;
  const Instant until = clock.now() + kLastAct;
  while (std::filesystem::exists(playing()) && clock.now() < until) {
    std::this_thread::sleep_for(kBetween);
  }
  return child->end(kLastAct);
}

Result<void> DrillPanes::open_claude(const DrillClaude& claude, const std::string& prompt) const {
  std::vector<std::string> split = {"split-window", "-h",  "-b", "-d",
                                    "-l",           "55%", "-c", claude.work_folder()};
  split.emplace_back("--");
  split.emplace_back("/usr/bin/env");
  split.emplace_back("-i");
  for (const std::string& variable : claude.environment()) split.push_back(variable);
  for (const std::string& word : claude.arguments(prompt)) split.push_back(word);
  const auto opened = tmux(split, {});
  if (!opened) return std::unexpected(opened.error());
  if (*opened != 0) return fail(ErrorCode::io, "tmux could not open a pane for Claude Code");
  return {};
}

void DrillPanes::tell_end() const {
  std::error_code ignored;
  std::filesystem::remove(playing(), ignored);
}

void DrillPanes::close_claude() const {
  (void)tmux({"kill-pane", "-a", "-t", kRightPane}, {});
}

}  // namespace nl::drill
