#include "app/run_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "app/client_login.h"
#include "app/local_gateway.h"
#include "app/reach_gateway.h"
#include "base/process.h"

namespace nl::app {
namespace {

using clients::Client;

constexpr Duration kAsk = std::chrono::milliseconds(500);

void warn(std::string_view text) {
  fmt::print(stderr, "nightlight: warning: {}\n", text);
}

// The base URL of a gateway that answers, or empty with a warning said.
std::string reach_gateway(const RunSetup& setup) {
  if (setup.config == nullptr) {
    warn("no gateway: " + setup.trouble);
    return "";
  }
  const LocalGateway gateway(*setup.config);
  if (gateway.base_url().empty()) {
    warn("no gateway: the configuration listens on no TCP address that a client could use");
    return "";
  }
  if (gateway.up(kAsk)) return gateway.base_url();
  const std::string why = start_gateway(setup.options, *setup.config, gateway);
  if (why.empty()) return gateway.base_url();
  warn("no gateway: " + why);
  return "";
}

// Claude Code takes an address in its settings before one in its environment.
void warn_of_settings(const Environment& environment, const std::string& base_url) {
  std::error_code error;
  const ClaudeAddress known =
      claude_address(environment, std::filesystem::current_path(error).string());
  if (known.url.empty() || known.url == base_url || known.url == base_url + "/") return;
  warn(
      fmt::format("{} sets ANTHROPIC_BASE_URL, which wins: Claude Code goes past Nightlight; "
                  "remove it there, or run `nightlight connect claude`",
                  known.file));
}

// False when the client cannot be told: then it goes past the gateway.
bool set_variables(const RunSetup& setup, const Client& client, const std::string& base_url) {
  const StandIn stand_in = stand_in_for(client, setup.environment, setup.config->tokens);
  if (!stand_in.warning.empty()) warn(stand_in.warning);
  const clients::Wanted wanted{base_url, "", stand_in.word, ""};
  const auto variables =
      clients::variables_for_run(client, wanted, variables_of(setup.environment));
  if (!variables) {
    warn(variables.error().message);
    return false;
  }
  for (const clients::Setting& one : *variables) {
    setenv(one.path.back().c_str(), one.value.c_str(), 1);
  }
  if (!client.note.empty()) fmt::print(stderr, "nightlight: note: {}\n", client.note);
  if (client.name == "claude") warn_of_settings(setup.environment, base_url);
  return true;
}

std::string runnable_names() {
  std::string names;
  for (const Client& client : clients::clients()) {
    if (client.one_run == clients::OneRun::none) continue;
    names += (names.empty() ? "" : " or ") + std::string(client.name);
  }
  return names;
}

// Null with the reason said.
const Client* runnable(const std::string& name) {
  const Client* client = clients::client_named(name);
  if (client == nullptr || client->program.empty()) {
    fmt::print(stderr, "nightlight: no client is called \"{}\": use {}\n", name, runnable_names());
    return nullptr;
  }
  if (client->one_run != clients::OneRun::none) return client;
  const std::string why = clients::unserved(*client);
  if (why.empty()) {
    fmt::print(stderr,
               "nightlight: {0} takes its settings from its own file alone: `nightlight connect "
               "{0}`\n",
               client->name);
  } else {
    fmt::print(stderr, "nightlight: {}; start `{}` itself\n", why, client->program);
  }
  return nullptr;
}

}  // namespace

StandIn stand_in_for(const Client& client, const Environment& environment,
                     const std::vector<Secret>& tokens) {
  if (tokens.empty()) {
    return {has_credential(client, environment) ? "" : std::string(clients::kStandIn), ""};
  }
  // A gateway that asks for a token gets it in the place of a credential, where there is none.
  for (const std::string_view name : client.key_variables) {
    const auto given = environment.find(std::string(name));
    if (!given) continue;
    const bool is_token =
        std::ranges::any_of(tokens, [&](const Secret& token) { return token.equals(*given); });
    if (is_token) return {};
    return {"", fmt::format("the gateway asks for its token and the environment holds another "
                            "credential: set {} to the gateway's token",
                            name)};
  }
  return {std::string(tokens.front().reveal()), ""};
}

std::vector<std::string> gateway_command(const CliOptions& options, const std::string& program) {
  std::vector<std::string> command = {program};
  if (!options.config.path.empty()) {
    command.insert(command.end(), {"--config", std::filesystem::absolute(options.config.path)});
  }
  for (const std::string& address : options.config.listen) {
    command.insert(command.end(), {"--listen", address});
  }
  if (options.config.workers > 0) {
    command.insert(command.end(), {"--workers", std::to_string(options.config.workers)});
  }
  command.emplace_back("up");
  return command;
}

int run_client(const RunSetup& setup) {
  const Client* client = runnable(setup.options.subject);
  if (client == nullptr) return 2;
  // Installers also use folders that a login shell alone has in its PATH.
  const std::string home = setup.environment.text("HOME");
  const auto binary = find_program(
      client->program,
      fmt::format("{}:{}/.local/bin:{}/.claude/local", setup.environment.text("PATH"), home, home));
  if (!binary) {
    fmt::print(stderr, "nightlight: {} is not installed: run `{}`\n", client->program,
               client->install);
    return 127;
  }
  std::vector<std::string> words = clients::words_for_run(*client, setup.options.rest);
  const std::string base_url = reach_gateway(setup);
  if (base_url.empty() || !set_variables(setup, *client, base_url)) {
    words = setup.options.rest;
    warn(fmt::format("starting {} directly; nothing stands in for it when it hits a limit",
                     client->name));
  }
  std::vector<std::string> command = {*binary};
  command.insert(command.end(), words.begin(), words.end());
  fmt::print(stderr, "nightlight: {}\n", become(command).message);
  return 126;
}

}  // namespace nl::app
