#include "engine/short_run.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

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

}  // namespace

Result<std::string> run_to_end(const std::vector<std::string>& arguments, Instant until,
                               const std::atomic<bool>& stop) {
  SpawnOptions options;
  options.arguments = arguments;
  const auto spawned = spawn(options);
  if (!spawned) return std::unexpected(spawned.error());
  const std::string what = fmt::format("{}", fmt::join(arguments, " "));
  Run run(*spawned);
  if (!run.read(until, stop) || !run.await_end(until)) {
    return fail(ErrorCode::timeout, what + " did not end in time");
  }
  if (run.end().signal != 0 || run.end().status != 0) {
    return fail(ErrorCode::io, fmt::format("{} {}", what, describe(run.end())));
  }
  return run.text();
}

std::string short_run(const std::vector<std::string>& arguments, Duration within) {
  const std::atomic<bool> never{false};
  return run_to_end(arguments, std::chrono::steady_clock::now() + within, never).value_or("");
}

}  // namespace nl::engine
