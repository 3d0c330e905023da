#include "app/reach_gateway.h"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <thread>

#include "app/run_client.h"
#include "base/process.h"

namespace nl::app {
namespace {

constexpr Duration kAsk = std::chrono::milliseconds(500);
constexpr Duration kStart = std::chrono::seconds(5);
constexpr Duration kBetween = std::chrono::milliseconds(25);

}  // namespace

std::string start_gateway(const CliOptions& options, const config::Config& config,
                          const LocalGateway& gateway) {
  std::string program = own_program();
  if (program.empty()) program = options.program;
  const std::string& folder = config.state_dir;
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return fmt::format("{}: {}", folder, error.message());
  const std::string log = folder + "/gateway.log";
  const auto started = start_detached(gateway_command(options, program), log);
  if (!started) return started.error().message;
  const SystemClock clock;
  const Instant until = clock.now() + kStart;
  while (clock.now() < until) {
    if (gateway.up(kAsk)) return "";
    std::this_thread::sleep_for(kBetween);
  }
  return fmt::format("it did not come up within 5 s; {} says why", log);
}

Result<work::Address> reach_gateway(const CliOptions& options, const config::Config& config) {
  const LocalGateway gateway(config);
  if (!gateway.endpoint()) {
    return fail(ErrorCode::config,
                "no address of the configuration can be asked from here; listen on 127.0.0.1 or "
                "unix:/PATH too");
  }
  work::Address address{*gateway.endpoint(), gateway.headers(), gateway.name()};
  if (gateway.up(kAsk)) return address;
  const std::string why = start_gateway(options, config, gateway);
  if (!why.empty()) {
    return fail(ErrorCode::connect,
                fmt::format("no gateway answers at {} and none could be started: {}; `nightlight "
                            "up` shows what is wrong",
                            address.name, why));
  }
  fmt::print(stderr, "nightlight: started the gateway, which goes on serving at {}\n",
             address.name);
  return address;
}

}  // namespace nl::app
