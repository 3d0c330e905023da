#include "engine/probe.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "engine/launch.h"
#include "engine/spawn.h"

namespace nl::engine {
namespace {

constexpr std::size_t kOutputMax = 1 << 20;
constexpr int kLookMs = 20;

// One run of the program. Kills and reaps it on every way out.
class Run {
 public:
  explicit Run(const Spawned& spawned) : spawned_(spawned) {}
  ~Run() {
    kill_group(spawned_.pid, SIGKILL);
    ::close(spawned_.output);
    if (spawned_.pid_descriptor >= 0) ::close(spawned_.pid_descriptor);
    while (!ended_ && wait_now(spawned_.pid).what == Wait::running) ::usleep(1000);
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  // Reads until the program closes its output or ends. False = `until` passed or it was stopped.
  bool read(Instant until, const std::atomic<bool>& stop) {
    while (text_.size() < kOutputMax) {
      if (stop || std::chrono::steady_clock::now() >= until) return false;
      pollfd waiting{spawned_.output, POLLIN, 0};
      (void)::poll(&waiting, 1, kLookMs);
      std::array<char, 4096> bytes{};
      const ssize_t got = ::read(spawned_.output, bytes.data(), bytes.size());
      if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) return true;
      if (got > 0) text_.append(bytes.data(), static_cast<std::size_t>(got));
    }
    return true;
  }
  bool await_end(Instant until) {
    while (!ended_ && std::chrono::steady_clock::now() < until) {
      const WaitResult result = wait_now(spawned_.pid);
      ended_ = result.what != Wait::running;
      end_ = result.end;
      if (!ended_) ::usleep(1000);
    }
    return ended_;
  }
  const std::string& text() const { return text_; }
  const ChildEnd& end() const { return end_; }

 private:
  Spawned spawned_;
  std::string text_;
  ChildEnd end_;
  bool ended_ = false;
};

Result<std::string> output_of(const std::string& path, const char* option, Instant until,
                              const std::atomic<bool>& stop) {
  SpawnOptions options;
  options.arguments = {path, option};
  const auto spawned = spawn(options);
  if (!spawned) return std::unexpected(spawned.error());
  Run run(*spawned);
  if (!run.read(until, stop) || !run.await_end(until)) {
    return fail(ErrorCode::timeout, fmt::format("{} {} did not end in time", path, option));
  }
  if (run.end().signal != 0 || run.end().status != 0) {
    return fail(ErrorCode::io, fmt::format("{} {} {}", path, option, describe(run.end())));
  }
  return run.text();
}

bool is_option_text(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

bool offers(std::string_view help, std::string_view option) {
  for (std::size_t at = help.find(option); at != std::string_view::npos;
       at = help.find(option, at + 1)) {
    const std::size_t end = at + option.size();
    const bool begins = at == 0 || !is_option_text(help[at - 1]);
    if (begins && (end == help.size() || !is_option_text(help[end]))) return true;
  }
  return false;
}

// The line that speaks of the version: others may tell of devices that were found.
std::string version_line(std::string_view text) {
  std::size_t from = text.find("version");
  if (from == std::string_view::npos) from = 0;
  std::string line(text.substr(from, std::min<std::size_t>(text.find('\n', from) - from, 120)));
  for (char& c : line) {
    if (c < 0x20 || static_cast<unsigned char>(c) >= 0x7f) c = ' ';
  }
  return line;
}

}  // namespace

std::vector<std::string> missing_options(std::string_view help,
                                         const std::vector<std::string>& wanted) {
  std::vector<std::string> missing;
  for (const std::string& option : wanted) {
    if (!offers(help, option)) missing.push_back(option);
  }
  return missing;
}

Result<Capabilities> probe_binary(const std::string& path, Duration within,
                                  const std::atomic<bool>& stop) {
  const Instant until = std::chrono::steady_clock::now() + within;
  const auto help = output_of(path, "--help", until, stop);
  if (!help) return std::unexpected(help.error());
  const auto missing = missing_options(*help, needed_options());
  if (!missing.empty()) {
    return fail(ErrorCode::unsupported,
                fmt::format("{} is no llama-server that is new enough: it does not know {}", path,
                            fmt::join(missing, ", ")));
  }
  Capabilities found;
  const auto version = output_of(path, "--version", until, stop);
  if (version) found.version = version_line(*version);
  return found;
}

}  // namespace nl::engine
