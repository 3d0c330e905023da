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
constexpr std::size_t kSaidMax = 300;

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line.substr(0, kSaidMax);
}

std::string launchd_domain() {
  return fmt::format("gui/{}", ::getuid());
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
                           : run({"print", launchd_domain() + "/dev.nightlight"});
  return ran && ran->status == 0;
}

std::string ServiceManager::reload() const {
  return manager_ == clients::Manager::systemd ? trouble_of({"daemon-reload"}) : "";
}

std::string ServiceManager::start(const std::string& unit) const {
  if (manager_ == clients::Manager::launchd) {
    return trouble_of({"bootstrap", launchd_domain(), unit});
  }
  return trouble_of({"start", "nightlight.service"});
}

std::string ServiceManager::stop(const std::string& unit) const {
  if (manager_ == clients::Manager::launchd) {
    return trouble_of({"bootout", launchd_domain(), unit});
  }
  return trouble_of({"stop", "nightlight.service"});
}

std::string ServiceManager::start_by_hand(const std::string& unit) const {
  if (manager_ == clients::Manager::launchd) {
    return fmt::format("launchctl bootstrap {} '{}'", launchd_domain(), unit);
  }
  return "systemctl --user daemon-reload && systemctl --user start nightlight";
}

}  // namespace nl::app
