#include "app/restart.h"

#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <optional>
#include <thread>

#include "app/listening.h"
#include "app/local_gateway.h"
#include "app/successor.h"
#include "dialect/json.h"
#include "http/listen_lock.h"

namespace nl::app {
namespace {

constexpr Duration kLookEvery = std::chrono::milliseconds(100);
constexpr Duration kAnswerWithin = std::chrono::seconds(2);
// Behind the rehearsal and the drain: ending the old, starting the new.
constexpr Duration kStartWithin = std::chrono::seconds(30);
constexpr Duration kSettlesWithin = std::chrono::seconds(8);

int complain(const std::string& text) {
  fmt::print(stderr, "nightlight: {}\n", text);
  return 1;
}

// The process that holds the lock of one of our addresses; 0 = none.
int running_pid(const config::Config& config) {
  for (const std::string& text : config.listen) {
    const auto address = http::parse_listen_address(text);
    if (!address) continue;
    const auto pid = http::ListenLock::holder(lock_folder(config), *address);
    if (pid && *pid > 1) return *pid;
  }
  return 0;
}

struct Seen {
  bool answered = false;
  std::int64_t pid = 0;
  std::int64_t done = 0;
  std::int64_t refused = 0;
  std::string reason;
  std::string version;
  std::int64_t engine_pid = -1;
};

Seen look(const LocalGateway& gateway) {
  Seen seen;
  const auto json = gateway.get("/nightlight/status", kAnswerWithin);
  dialect::Document document;
  if (!json || !document.parse(*json)) return seen;
  const dialect::Value root = document.root();
  const dialect::Value restart = root["restart"];
  if (!restart.is_object()) return seen;
  seen.answered = true;
  seen.pid = root["pid"].integer().value_or(0);
  seen.done = restart["done"].integer().value_or(0);
  seen.refused = restart["refused"].integer().value_or(0);
  seen.reason = restart["reason"].text().utf8();
  seen.version = root["version"].text().utf8();
  // One that is being looked for, or ended, says nothing yet.
  const std::string engine = root["engine"]["state"].text().utf8();
  if (engine == "ready" || engine == "starting") {
    seen.engine_pid = root["engine"]["pid"].integer().value_or(-1);
  }
  return seen;
}

int tell(const Seen& before, const Seen& now) {
  std::string engine;
  if (before.engine_pid > 1) {
    engine = now.engine_pid == before.engine_pid ? "; the engine kept its model"
             : now.engine_pid > 1                ? "; the engine starts anew"
                                                 : "; the engine does not run now";
  }
  fmt::print("nightlight {} serves (pid {}){}\n", now.version, now.pid, engine);
  return 0;
}

}  // namespace

int restart(const CliOptions&, const config::Config& config) {
  const LocalGateway gateway(config);
  const int pid = running_pid(config);
  if (pid == 0) return complain("no gateway is running here; start it with `nightlight up`");
  const Seen before = look(gateway);
  // A process that does not know the signal would die of it.
  if (!before.answered || before.pid != pid) {
    return complain(
        fmt::format("process {} has the address, but does not say that it can be "
                    "restarted; stop it and start it again",
                    pid));
  }
  if (::kill(pid, SIGUSR2) != 0) {
    return complain(fmt::format("pid {}: {}", pid, std::strerror(errno)));
  }
  const auto until =
      std::chrono::steady_clock::now() + kRehearsalWithin + config.limits.drain + kStartWithin;
  std::optional<Instant> settles;  // when the engine's fate is known at the latest
  while (std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(kLookEvery);
    const Seen now = look(gateway);
    if (!now.answered) {
      if (::kill(pid, 0) != 0) return complain("the gateway has ended; its log says why");
      continue;
    }
    if (now.done > before.done) {
      if (!settles) settles = std::chrono::steady_clock::now() + kSettlesWithin;
      const bool settled = before.engine_pid <= 1 || now.engine_pid > 1;
      if (settled || std::chrono::steady_clock::now() > *settles) return tell(before, now);
    }
    if (now.refused > before.refused) {
      return complain("not restarted, the running gateway goes on: " + now.reason);
    }
  }
  return complain("the gateway has not restarted in time; its log says why");
}

}  // namespace nl::app
