#include "app/client_login.h"

#include <algorithm>
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

// The text behind those names in a file of settings; empty = none.
std::string text_in(const std::string& path, const std::vector<std::string>& names) {
  const auto file = clients::KeptFile::look(path);
  if (!file) return "";
  const auto json = clients::JsonText::read(file->text());
  if (!json) return "";
  const clients::JsonMember* member = json->member(names);
  return member == nullptr ? "" : json->text_of(member->value);
}

std::string claude_folder(const Environment& environment) {
  const std::string own = environment.text("CLAUDE_CONFIG_DIR");
  return own.empty() ? environment.text("HOME") + "/.claude" : own;
}

// A credential that the settings of Claude Code hold, or a program that makes one.
bool settings_have_credential(const std::string& path) {
  const auto holds = [&](const std::vector<std::string>& names) {
    const std::string value = text_in(path, names);
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

// What Qwen Code holds is most often the key of a vendor that is not OpenAI, and the gateway would
// give it to OpenAI: only a variable counts, and only where no other address stands beside it.
bool has_openai_key(const Environment& environment) {
  const std::string address = environment.text("OPENAI_BASE_URL");
  return environment.find("OPENAI_API_KEY") &&
         (address.empty() || address.starts_with("https://api.openai.com/"));
}

}  // namespace

bool has_claude_login(const Environment& environment) {
  const std::string home = environment.text("HOME");
  const std::string own = environment.text("CLAUDE_CONFIG_DIR");
  const std::string folder = claude_folder(environment);
  const std::string account = own.empty() ? home + "/.claude.json" : own + "/.claude.json";
  return exists(folder + "/.credentials.json") ||
         mentions(account, {"\"oauthAccount\"", "\"primaryApiKey\""}) ||
         settings_have_credential(folder + "/settings.json");
}

bool has_credential(const clients::Client& client, const Environment& environment) {
  if (client.name == "qwen") return has_openai_key(environment);
  const bool by_variable = std::ranges::any_of(client.key_variables, [&](std::string_view name) {
    return environment.find(std::string(name)).has_value();
  });
  if (by_variable) return true;
  if (client.name == "opencode") return has_opencode_login(client, environment);
  return environment.find("CLAUDE_CODE_OAUTH_TOKEN") || has_claude_login(environment);
}

ClaudeAddress claude_address(const Environment& environment, const std::string& folder) {
  for (const std::string& file :
       {folder + "/.claude/settings.local.json", folder + "/.claude/settings.json",
        claude_folder(environment) + "/settings.json"}) {
    const std::string url = text_in(file, {"env", "ANTHROPIC_BASE_URL"});
    if (!url.empty()) return {url, file};
  }
  return {};
}

clients::Variables variables_of(const Environment& environment) {
  return [&environment](const std::string& name) { return environment.text(name); };
}

}  // namespace nl::app
