#include "app/client_login.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string>

#include "clients/json_text.h"
#include "clients/kept_file.h"

namespace nl::app {
namespace {

bool exists(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

bool mentions(const std::string& path, std::initializer_list<std::string_view> words) {
  const auto file = clients::KeptFile::look(path);
  return file && std::ranges::any_of(words, [&](std::string_view word) {
           return file->text().find(word) != std::string::npos;
         });
}

// A credential that the settings of Claude Code hold, or a program that makes one.
bool settings_have_credential(const std::string& path) {
  const auto file = clients::KeptFile::look(path);
  if (!file) return false;
  const auto json = clients::JsonText::read(file->text());
  if (!json) return false;
  const auto holds = [&](std::initializer_list<std::string> names) {
    const clients::JsonMember* member = json->member(std::vector<std::string>(names));
    const std::string value = member == nullptr ? "" : json->text_of(member->value);
    return !value.empty() && value != clients::kStandIn;
  };
  return holds({"apiKeyHelper"}) || holds({"env", "ANTHROPIC_API_KEY"}) ||
         holds({"env", "ANTHROPIC_AUTH_TOKEN"});
}

// By `opencode auth login`, or a key in its settings.
bool has_opencode_login(const clients::Client& opencode, const Environment& environment) {
  std::string data = environment.text("XDG_DATA_HOME");
  if (!data.starts_with('/')) data = environment.text("HOME") + "/.local/share";
  if (mentions(data + "/opencode/auth.json", {"\"anthropic\""})) return true;
  const auto settings = clients::path_of(opencode.files.front(), variables_of(environment));
  return (settings && mentions(*settings, {"\"apiKey\""})) ||
         environment.text(std::string(opencode.run_variable)).find("\"apiKey\"") !=
             std::string::npos;
}

}  // namespace

bool has_claude_login(const Environment& environment) {
  const std::string home = environment.text("HOME");
  const std::string own = environment.text("CLAUDE_CONFIG_DIR");
  const std::string folder = own.empty() ? home + "/.claude" : own;
  const std::string account = own.empty() ? home + "/.claude.json" : own + "/.claude.json";
  return exists(folder + "/.credentials.json") ||
         mentions(account, {"\"oauthAccount\"", "\"primaryApiKey\""}) ||
         settings_have_credential(folder + "/settings.json");
}

bool has_credential(const clients::Client& client, const Environment& environment) {
  if (environment.find("ANTHROPIC_API_KEY")) return true;
  if (client.one_run == clients::OneRun::content) return has_opencode_login(client, environment);
  constexpr std::array<const char*, 2> kTokens = {"ANTHROPIC_AUTH_TOKEN",
                                                  "CLAUDE_CODE_OAUTH_TOKEN"};
  const bool by_variable = std::ranges::any_of(
      kTokens, [&](const char* name) { return environment.find(name).has_value(); });
  return by_variable || has_claude_login(environment);
}

clients::Variables variables_of(const Environment& environment) {
  return [&environment](const std::string& name) { return environment.text(name); };
}

}  // namespace nl::app
