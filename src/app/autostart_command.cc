#include "app/autostart_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <set>
#include <thread>

#include "app/client_login.h"
#include "app/connect_list.h"
#include "app/local_gateway.h"
#include "app/own_commands.h"
#include "app/run_client.h"
#include "app/service_manager.h"
#include "base/process.h"
#include "clients/connection.h"
#include "config/config.h"
#include "dialect/json_writer.h"

namespace nl::app {
namespace {

using clients::TurnedOn;

constexpr Duration kAsk = std::chrono::milliseconds(500);
constexpr Duration kStart = std::chrono::seconds(5);
constexpr auto kBetween = std::chrono::milliseconds(50);

int complain(std::string_view text, int status) {
  fmt::print(stderr, "nightlight: {}\n", text);
  return status;
}

// Everything that the three of them need.
struct Service {
  const Environment& environment;
  const config::Config& config;
  clients::AutostartPlaces places;
  clients::RecordFolder records;
  ServiceManager manager;
  Form form = Form::people;
};

// Names that the service's own environment file sets.
std::set<std::string> names_in(const std::string& path) {
  std::set<std::string> names;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const std::size_t start = line.find_first_not_of(" \t");
    const std::size_t equals = line.find('=');
    if (start == std::string::npos || equals == std::string::npos || line[start] == '#') continue;
    names.insert(line.substr(start, equals - start));
  }
  return names;
}

constexpr bool kHasLaunchd = clients::own_manager() == clients::Manager::launchd;

// What else of a shell decides what the gateway does.
constexpr const char* kAlsoRead[] = {"NIGHTLIGHT_MODELS", "NIGHTLIGHT_LLAMA_SERVER",
                                     "https_proxy",       "HTTPS_PROXY",
                                     "no_proxy",          "NO_PROXY"};

// A service does not see what this shell exports.
void tell_of_variables(const Service& service) {
  const std::string path = service.environment.text("HOME") + "/.config/nightlight/environment";
  const std::set<std::string> known = kHasLaunchd ? std::set<std::string>() : names_in(path);
  std::set<std::string> wanted(service.config.key_variables.begin(),
                               service.config.key_variables.end());
  wanted.insert(std::begin(kAlsoRead), std::end(kAlsoRead));
  std::string missing;
  for (const std::string& name : wanted) {
    if (!service.environment.find(name) || known.contains(name)) continue;
    missing += (missing.empty() ? "" : ", ") + name;
  }
  if (missing.empty()) return;
  if (kHasLaunchd) {
    fmt::print(
        "note: the service does not see this shell's {}: name keys in the configuration as "
        "key = \"file:PATH\" (chmod 600)\n",
        missing);
    return;
  }
  fmt::print(
      "note: the service does not see this shell's {}: put a line NAME=value each into {} "
      "(chmod 600)\n",
      missing, path);
}

bool comes_up(const LocalGateway& gateway) {
  const SystemClock clock;
  const Instant until = clock.now() + kStart;
  while (clock.now() < until) {
    if (gateway.up(kAsk)) return true;
    std::this_thread::sleep_for(kBetween);
  }
  return false;
}

int start_now(const Service& service, const std::string& unit, ServiceManager::UnitIs unit_is) {
  if (!service.manager.reachable()) {
    fmt::print(
        "The service manager cannot be reached from here: it starts at the next login, or "
        "now by\n  {}\n",
        service.manager.start_by_hand(unit));
    return 0;
  }
  if (const std::string why = service.manager.reload(); !why.empty()) return complain(why, 1);
  const LocalGateway gateway(service.config);
  if (gateway.up(kAsk) && !service.manager.active()) {
    fmt::print(
        "A gateway that was started by hand is serving; the service takes over at the next "
        "login, or now: end it and run\n  {}\n",
        service.manager.start_by_hand(unit));
    return 0;
  }
  const std::string log = service.manager.log_words(service.environment.text("HOME"));
  if (const std::string why = service.manager.start(unit, unit_is); !why.empty()) {
    return complain(fmt::format("{}; {} says more", why, log), 1);
  }
  if (!gateway.base_url().empty() && !comes_up(gateway)) {
    return complain(
        fmt::format("nothing answers at {} within 5 s; {} says why", gateway.base_url(), log), 1);
  }
  fmt::print("It is serving now, and after every login{}.\n",
             kHasLaunchd ? "" : " (before login too: loginctl enable-linger)");
  return 0;
}

int turn_on(const Service& service, const CliOptions& options) {
  const std::string program = own_program();
  if (program.empty()) return complain("this system does not say where this program stands", 1);
  const std::vector<std::string> command = gateway_command(options, program);
  const std::string text = clients::own_manager() == clients::Manager::systemd
                               ? clients::systemd_unit(command)
                               : clients::launchd_agent(command, service.environment.text("HOME"));
  const auto done = clients::turn_on(service.places, text, service.records);
  if (!done) return complain(done.error().message, 1);
  switch (done->which) {
    case TurnedOn::Which::written:
      fmt::print("Wrote {}\n", done->unit);
      break;
    case TurnedOn::Which::kept:
      fmt::print("{} is as it should be\n", done->unit);
      break;
    case TurnedOn::Which::packaged:
      fmt::print("Uses the package's {}\n", done->unit);
      break;
    case TurnedOn::Which::users:
      fmt::print("{} is your own and differs from ours: it is used as it is\n", done->unit);
      break;
  }
  if (!service.places.link.empty()) fmt::print("Enabled by {}\n", service.places.link);
  const bool fresh = done->which == TurnedOn::Which::written;
  const int status =
      start_now(service, done->unit,
                fresh ? ServiceManager::UnitIs::fresh : ServiceManager::UnitIs::as_before);
  tell_of_variables(service);
  return status;
}

int turn_off(const Service& service) {
  const bool reachable = service.manager.reachable();
  if (reachable && service.manager.active()) {
    const std::string why = service.manager.stop();
    if (!why.empty()) return complain(why, 1);
  }
  const auto done = clients::turn_off(service.places, service.records);
  if (!done) return complain(done.error().message, 1);
  if (reachable) service.manager.reload();
  fmt::print("{}\n", done->was_on ? "Autostart is off." : "Autostart was off.");
  if (!done->stays.empty()) {
    // launchd starts at login whatever lies there.
    fmt::print("{} is not as nightlight wrote it and stays; {}.\n", done->stays,
               service.places.link.empty() ? "it starts again at the next login until it is moved"
                                           : "nothing starts it");
  }
  int status = 0;
  for (const clients::Client& client : clients::clients()) {
    const auto state = clients::state_of(client, service.records);
    if (state.standing == clients::Standing::none) continue;
    complain(
        fmt::format("{} is still connected: `nightlight disconnect {}`", client.title, client.name),
        1);
    status = 1;
  }
  return status;
}

int tell(const Service& service) {
  const auto state = clients::autostart_state(service.places, service.records);
  const bool running = LocalGateway(service.config).up(kAsk);
  if (service.form == Form::json) {
    std::string text;
    dialect::JsonWriter writer(text);
    writer.begin_object().boolean("on", state.on).string("unit", state.unit);
    writer.boolean("ours", state.is_ours).boolean("gateway_up", running).end_object();
    fmt::print("{}\n", text);
    return 0;
  }
  fmt::print("autostart {}{}\n", state.on ? "on" : "off",
             state.unit.empty() ? "" : fmt::format(": {}", state.unit));
  fmt::print("gateway   {}\n", running ? "up" : "not running");
  if (!state.on) fmt::print("`nightlight autostart on` makes it a service of yours\n");
  return 0;
}

}  // namespace

int autostart_command(const CliOptions& given, const Environment& environment) {
  CliOptions options = given;
  std::string action = "status";
  bool json = false;
  CLI::App app("keep the gateway running as a service of yours (systemd, launchd)",
               "nightlight autostart");
  app.add_option("action", action, "on, off or status")
      ->type_name("ACTION")
      ->check(CLI::IsMember({"on", "off", "status"}));
  app.add_flag("--json", json, "status for programs");
  app.footer(
      "\nExample:\n  nightlight autostart on\n  nightlight --config ~/gateway.toml autostart on\n"
      "  nightlight autostart off");
  if (const auto ended = parse_own(app, options)) return *ended;
  auto config = config::load_config(options.config, environment);
  // A mistake in it must not keep anybody from turning it off.
  if (!config && action == "off")
    config = config::parse_config("", "", config::ConfigSource(), environment);
  if (!config) return complain(config.error().message, 2);
  const auto places = clients::autostart_places(clients::own_manager(), variables_of(environment));
  if (!places) return complain(places.error().message, 1);
  const Service service{environment,
                        *config,
                        *places,
                        connection_records(environment),
                        ServiceManager(clients::own_manager(), environment, config->state_dir),
                        json ? Form::json : Form::people};
  if (action == "on") return turn_on(service, options);
  return action == "off" ? turn_off(service) : tell(service);
}

}  // namespace nl::app
