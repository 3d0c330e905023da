#include "drill/stage.h"

#include <fmt/format.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdlib.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "base/process.h"

namespace nl::drill {
namespace {

constexpr Duration kStart = std::chrono::seconds(20);
constexpr Duration kStop = std::chrono::seconds(15);
constexpr Duration kBetween = std::chrono::milliseconds(20);
constexpr std::size_t kLogTail = 2000;

// Kept for children: nothing that holds a key, a proxy or the user's own settings.
constexpr const char* kKept[] = {"PATH",          "LANG",         "LC_ALL",
                                 "TERM",          "COLORTERM",    "ASAN_OPTIONS",
                                 "UBSAN_OPTIONS", "LSAN_OPTIONS", "NIGHTLIGHT_LLAMA_SERVER"};

constexpr const char* kConfig = R"(# Made by nightlight drill --demo; gone when it ends.
listen = "127.0.0.1:0"
discover = false
on_local = "continue"

[[provider]]
name = "anthropic"
base_url = "http://127.0.0.1:{}"
key = "env:NIGHTLIGHT_DRILL_KEY"
tier = "frontier"
billing = "flat"

[[provider]]
name = "openrouter"
base_url = "http://127.0.0.1:{}/v1"
key = "env:NIGHTLIGHT_DRILL_KEY"
tier = "router"

[tiers]
frontier = ["anthropic"]
router = ["openrouter"]
local = ["engine"]

[engine]
model = "ember"

[budget]
failover_usd_per_day = 1000.0

[limits]
drain_s = 2
)";

enum class Loopback : std::uint8_t { up, down };

Loopback loopback() {
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0) return Loopback::up;
  Loopback found = Loopback::down;
  for (const ifaddrs* one = first; one != nullptr; one = one->ifa_next) {
    const bool is_up = (one->ifa_flags & IFF_LOOPBACK) != 0 && (one->ifa_flags & IFF_UP) != 0;
    if (is_up && one->ifa_addr != nullptr) found = Loopback::up;
  }
  freeifaddrs(first);
  return found;
}

// A network namespace of one's own begins with its loopback down.
Result<void> ensure_loopback(const Environment& environment, const std::string& folder) {
  if (loopback() == Loopback::up) return {};
  const auto ip = find_program("ip", environment.text("PATH") + ":/usr/sbin:/sbin");
  if (ip && geteuid() == 0) {
    ChildOrder order;
    order.arguments = {*ip, "link", "set", "lo", "up"};
    order.folder = folder;
    order.output = folder + "/ip.log";
    auto child = Child::start(order);
    for (int i = 0; child && i < 100 && !child->poll(); ++i) std::this_thread::sleep_for(kBetween);
    if (loopback() == Loopback::up) return {};
  }
  return fail(ErrorCode::io,
              "the loopback interface is down here; run `ip link set lo up` as root of this "
              "network namespace, e.g. `unshare -rn sh -c 'ip link set lo up; nightlight drill "
              "--demo'`");
}

std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// The port in "serving on 127.0.0.1:PORT (pid ...)"; 0 until it is said.
std::uint16_t port_in(const std::string& log) {
  constexpr std::string_view kBefore = " serving on 127.0.0.1:";
  const std::size_t at = log.find(kBefore);
  if (at == std::string::npos) return 0;
  std::uint16_t port = 0;
  const char* begin = log.data() + at + kBefore.size();
  const auto [end, error] = std::from_chars(begin, log.data() + log.size(), port);
  const bool whole = error == std::errc() && end != log.data() + log.size();
  return whole ? port : std::uint16_t{0};
}

}  // namespace

Result<std::unique_ptr<DrillStage>> DrillStage::build(const Environment& environment,
                                                      const DrillPace& pace) {
  std::unique_ptr<DrillStage> stage(new DrillStage(environment, pace));
  if (const auto made = stage->make_folder(); !made) return std::unexpected(made.error());
  if (const auto up = ensure_loopback(environment, stage->folder_); !up) {
    return std::unexpected(up.error());
  }
  if (const auto bound = stage->clouds_.start(); !bound) return std::unexpected(bound.error());
  if (const auto up = stage->start_gateway(); !up) return std::unexpected(up.error());
  return stage;
}

DrillStage::~DrillStage() {
  stop_gateway();
  std::error_code ignored;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

Result<void> DrillStage::make_folder() {
  std::error_code error;
  std::string made = std::filesystem::temp_directory_path(error) / "nightlight-drill-XXXXXX";
  if (error || mkdtemp(made.data()) == nullptr) {
    return fail(ErrorCode::io, made + ": cannot be made; is TMPDIR a folder with room?");
  }
  folder_ = made;
  for (const char* name : {"/gateway", "/gateway/run", "/claude", "/claude/run", "/claude/work"}) {
    std::filesystem::create_directory(folder_ + name, error);
    std::filesystem::permissions(folder_ + name, std::filesystem::perms::owner_all, error);
  }
  return {};
}

std::string DrillStage::ledger_path() const {
  return folder_ + "/gateway/.local/state/nightlight/ledger.sqlite";
}

std::vector<std::string> DrillStage::environment_of(const std::string& home) const {
  std::vector<std::string> variables;
  for (const char* name : kKept) {
    if (const auto value = environment_.find(name)) {
      variables.push_back(fmt::format("{}={}", name, *value));
    }
  }
  variables.push_back("HOME=" + home);
  variables.push_back("XDG_CONFIG_HOME=" + home + "/.config");
  variables.push_back("XDG_DATA_HOME=" + home + "/.local/share");
  variables.push_back("XDG_STATE_HOME=" + home + "/.local/state");
  variables.push_back("XDG_CACHE_HOME=" + home + "/.cache");
  variables.push_back("XDG_RUNTIME_DIR=" + home + "/run");
  return variables;
}

Result<void> DrillStage::start_gateway() {
  const std::string home = folder_ + "/gateway";
  const std::string config = home + "/drill.toml";
  std::ofstream file(config, std::ios::binary);
  file << fmt::format(fmt::runtime(kConfig), clouds_.port(1), clouds_.port(2));
  file.close();
  if (!file) return fail(ErrorCode::io, config + ": cannot be written");
  ChildOrder order;
  order.arguments = {own_program(), "--config", config, "up"};
  order.environment = environment_of(home);
  order.environment.emplace_back("NIGHTLIGHT_DRILL_KEY=no-key-only-a-stand-in");
  order.folder = home;
  order.output = home + "/gateway.log";
  auto child = Child::start(order);
  if (!child) return std::unexpected(child.error());
  child_.emplace(std::move(*child));
  const SystemClock clock;
  const Instant until = clock.now() + kStart;
  while (gateway_runs() && clock.now() < until && !clouds_.stopped()) {
    if (const std::uint16_t port = port_in(read_text(order.output)); port > 0) {
      gateway_.scheme = http::Scheme::http;
      gateway_.host = "127.0.0.1";
      gateway_.port = port;
      return {};
    }
    std::this_thread::sleep_for(kBetween);
  }
  return fail(ErrorCode::io, "the drill's gateway did not come up:\n" + gateway_log());
}

int DrillStage::stop_gateway() {
  if (!child_) return 0;
  const int status = child_->end(kStop);
  child_.reset();
  return status;
}

std::string DrillStage::gateway_log() const {
  std::string log = read_text(folder_ + "/gateway/gateway.log");
  if (log.size() > kLogTail) log.erase(0, log.size() - kLogTail);
  return log;
}

}  // namespace nl::drill
