#include "app/run_client.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "app/local_gateway.h"
#include "app/reach_gateway.h"
#include "base/process.h"

namespace nl::app {
namespace {

constexpr Duration kAsk = std::chrono::milliseconds(500);
constexpr std::size_t kSettingsBytesMax = 4u << 20;
// A client without any credential does not start. This one goes nowhere: the gateway drops it.
constexpr const char* kStandIn = "nightlight";

constexpr std::array<ClientKind, 4> kClients{{
    {"claude", "claude", "npm install -g @anthropic-ai/claude-code", ""},
    {"opencode", "opencode", "npm install -g opencode-ai", ""},
    {"codex", "codex", "npm install -g @openai/codex",
     "it speaks the OpenAI Responses API, which this release does not serve"},
    {"gemini", "gemini", "npm install -g @google/gemini-cli",
     "it speaks the Gemini API, which this release does not serve"},
}};

bool exists(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0;
}

bool mentions(const std::string& path, std::initializer_list<std::string_view> words) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return false;
  std::string text(kSettingsBytesMax, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  for (const std::string_view word : words) {
    if (text.find(word) != std::string::npos) return true;
  }
  return false;
}

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

void set_variables(const RunSetup& setup, const ClientKind& kind, const std::string& base_url) {
  const ClaudeLogin login =
      has_claude_login(setup.environment) ? ClaudeLogin::present : ClaudeLogin::absent;
  for (const auto& [name, value] : client_variables(kind, base_url, setup.environment, login)) {
    setenv(name.c_str(), value.c_str(), 1);
  }
  // A gateway that asks for a token gets it in the place of a credential, where there is none.
  if (setup.config->tokens.empty() || kind.name != "claude") return;
  if (setup.environment.find("ANTHROPIC_AUTH_TOKEN") ||
      setup.environment.find("ANTHROPIC_API_KEY")) {
    warn(
        "the gateway asks for its token and the environment holds another credential: set "
        "ANTHROPIC_AUTH_TOKEN to the gateway's token");
    return;
  }
  setenv("ANTHROPIC_AUTH_TOKEN", std::string(setup.config->tokens.front().reveal()).c_str(), 1);
}

}  // namespace

const ClientKind* client_kind(std::string_view name) {
  for (const ClientKind& kind : kClients) {
    if (kind.name == name) return &kind;
  }
  return nullptr;
}

bool has_claude_login(const Environment& environment) {
  const std::string home = environment.text("HOME");
  const std::string own = environment.text("CLAUDE_CONFIG_DIR");
  const std::string folder = own.empty() ? home + "/.claude" : own;
  const std::string account = own.empty() ? home + "/.claude.json" : own + "/.claude.json";
  return exists(folder + "/.credentials.json") ||
         mentions(account, {"\"oauthAccount\"", "\"primaryApiKey\""}) ||
         mentions(folder + "/settings.json",
                  {"\"apiKeyHelper\"", "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"});
}

std::vector<std::pair<std::string, std::string>> client_variables(const ClientKind& kind,
                                                                  const std::string& base_url,
                                                                  const Environment& environment,
                                                                  ClaudeLogin login) {
  std::vector<std::pair<std::string, std::string>> variables;
  if (kind.name == "opencode") {
    // It takes no base URL from a variable, but a whole configuration.
    if (environment.find("OPENCODE_CONFIG_CONTENT")) return variables;
    variables.emplace_back(
        "OPENCODE_CONFIG_CONTENT",
        fmt::format(R"({{"provider":{{"anthropic":{{"options":{{"baseURL":"{0}/v1"}}}},)"
                    R"("openai":{{"options":{{"baseURL":"{0}/v1"}}}}}}}})",
                    base_url));
    return variables;
  }
  variables.emplace_back("ANTHROPIC_BASE_URL", base_url);
  const bool has_credential = environment.find("ANTHROPIC_API_KEY") ||
                              environment.find("ANTHROPIC_AUTH_TOKEN") ||
                              environment.find("CLAUDE_CODE_OAUTH_TOKEN");
  if (!has_credential && login == ClaudeLogin::absent) {
    variables.emplace_back("ANTHROPIC_AUTH_TOKEN", kStandIn);
  }
  return variables;
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
  const ClientKind* kind = client_kind(setup.options.subject);
  if (kind == nullptr) {
    fmt::print(stderr, "nightlight: no client is called \"{}\": use claude or opencode\n",
               setup.options.subject);
    return 2;
  }
  if (!kind->unserved.empty()) {
    fmt::print(stderr, "nightlight: {} cannot run on the gateway yet: {}; start `{}` itself\n",
               kind->name, kind->unserved, kind->binary);
    return 2;
  }
  // Installers also use folders that a login shell alone has in its PATH.
  const std::string home = setup.environment.text("HOME");
  const auto binary = find_program(
      kind->binary,
      fmt::format("{}:{}/.local/bin:{}/.claude/local", setup.environment.text("PATH"), home, home));
  if (!binary) {
    fmt::print(stderr, "nightlight: {} is not installed: run `{}`\n", kind->binary, kind->install);
    return 127;
  }
  const std::string base_url = reach_gateway(setup);
  if (base_url.empty()) {
    warn(fmt::format("starting {} directly; nothing stands in for it when it hits a limit",
                     kind->name));
  } else {
    set_variables(setup, *kind, base_url);
  }
  std::vector<std::string> command = {*binary};
  command.insert(command.end(), setup.options.rest.begin(), setup.options.rest.end());
  fmt::print(stderr, "nightlight: {}\n", become(command).message);
  return 126;
}

}  // namespace nl::app
