#include "app/service_manager.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "base/process.h"
#include "base/process_child.h"

namespace nl::app {
namespace {

constexpr auto kWithin = std::chrono::seconds(20);
constexpr auto kBetween = std::chrono::milliseconds(10);
constexpr auto kGrace = std::chrono::seconds(1);
constexpr auto kBetweenLooks = std::chrono::milliseconds(200);
constexpr std::size_t kSaidMax = 300;
// How launchctl ends when a service is still ending (EINPROGRESS of macOS).
constexpr int kInProgress = 36;

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line.substr(0, kSaidMax);
}

std::string launchd_domain() {
  return fmt::format("gui/{}", ::getuid());
}

std::string launchd_service() {
  return launchd_domain() + "/dev.nightlight";
}

}  // namespace

std::optional<ServiceManager::Ran> ServiceManager::run(
    const std::vector<std::string>& words) const {
  const bool systemd = manager_ == clients::Manager::systemd;
  const auto tool = find_program(systemd ? "systemctl" : "launchctl", environment_.text("PATH"));
  if (!tool) return std::nullopt;
  std::error_code error;
  std::filesystem::create_directories(scratch_, error);
  ChildOrder order;
  order.arguments = {*tool};
  if (systemd) order.arguments.emplace_back("--user");
  order.arguments.insert(order.arguments.end(), words.begin(), words.end());
  order.environment = environment_.entries();
  order.folder = std::string(1, '/');  // g++ 12 warns of the literal's assignment in release
  order.output = scratch_ + "/service-manager.log";
  auto child = Child::start(order);
  if (!child) return std::nullopt;
  const SystemClock clock;
  const Instant until = clock.now() + kWithin;
  std::optional<int> status;
  while (!(status = child->poll()) && clock.now() < until) std::this_thread::sleep_for(kBetween);
  Ran ran{status ? *status : child->end(kGrace), first_line(order.output)};
  std::filesystem::remove(order.output, error);
  return ran;
}

std::string ServiceManager::trouble_of(const std::vector<std::string>& words) const {
  const auto ran = run(words);
  if (!ran) return "its tool cannot be run";
  if (ran->status == 0) return "";
  return fmt::format("{} ended with status {}{}{}", words.front(), ran->status,
                     ran->said.empty() ? "" : ": ", ran->said);
}

bool ServiceManager::reachable() const {
  const bool systemd = manager_ == clients::Manager::systemd;
  const auto ran = systemd ? run({"show-environment"}) : run({"print", launchd_domain()});
  return ran && ran->status == 0;
}

bool ServiceManager::active() const {
  const bool systemd = manager_ == clients::Manager::systemd;
  const auto ran = systemd ? run({"is-active", "--quiet", "nightlight.service"})
                           : run({"print", launchd_service()});
  return ran && ran->status == 0;
}

std::string ServiceManager::reload() const {
  return manager_ == clients::Manager::systemd ? trouble_of({"daemon-reload"}) : "";
}

std::string ServiceManager::start(const std::string& unit, UnitIs unit_is) const {
  const bool fresh = unit_is == UnitIs::fresh;
  if (manager_ == clients::Manager::systemd) {
    return trouble_of({fresh && active() ? "restart" : "start", "nightlight.service"});
  }
  if (active()) {
    // What is loaded already is refused when it is loaded again, and keeps the agent as it was.
    if (!fresh) return trouble_of({"kickstart", launchd_service()});
    if (std::string why = stop(); !why.empty()) return why;
  }
  // One that was disabled once is not loaded.
  if (std::string why = trouble_of({"enable", launchd_service()}); !why.empty()) return why;
  return trouble_of({"bootstrap", launchd_domain(), unit});
}

std::string ServiceManager::stop() const {
  if (manager_ == clients::Manager::systemd) return trouble_of({"stop", "nightlight.service"});
  const auto ran = run({"bootout", launchd_service()});
  if (!ran) return "its tool cannot be run";
  if (ran->status != 0 && ran->status != kInProgress) {
    return fmt::format("bootout ended with status {}: {}", ran->status, ran->said);
  }
  // It is gone once it has ended, which its last requests may delay.
  const SystemClock clock;
  const Instant until = clock.now() + kWithin;
  while (active() && clock.now() < until) std::this_thread::sleep_for(kBetweenLooks);
  return "";
}

std::string ServiceManager::start_by_hand(const std::string& unit) const {
  if (manager_ == clients::Manager::launchd) {
    return fmt::format("launchctl bootstrap {} '{}'", launchd_domain(), unit);
  }
  return "systemctl --user daemon-reload && systemctl --user start nightlight";
}

std::string ServiceManager::log_words(const std::string& home) const {
  return manager_ == clients::Manager::launchd ? home + "/Library/Logs/nightlight.log"
                                               : "`journalctl --user -u nightlight`";
}

}  // namespace nl::app
