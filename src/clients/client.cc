#include "clients/client.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

namespace nl::clients {
namespace {

constexpr const char* kOpenAiNote =
    "its provider openai speaks the Responses API and keeps its own address";
constexpr const char* kQwenNote =
    "the key that it sends goes to OpenAI alone, and a model that its settings list under "
    "modelProviders with a baseUrl keeps that address";
constexpr const char* kKeyNote =
    "it also wants a key: without [auth] in the gateway any word will do";

ClientKey base(std::string_view path, Wire wire) {
  return {path, Value::base, wire, When::always, ""};
}
ClientKey base_v1(std::string_view path, Wire wire) {
  return {path, Value::base_v1, wire, When::always, ""};
}
ClientKey fixed(std::string_view path, Wire wire, When when, std::string_view word) {
  return {path, Value::fixed, wire, when, word};
}
ClientKey stand_in(std::string_view path, Wire wire) {
  return {path, Value::stand_in, wire, When::stand_in, ""};
}

// A client that is called as its program is.
Client program(std::string_view name, std::string_view title) {
  Client made;
  made.name = made.program = name;
  made.title = title;
  return made;
}

Client claude() {
  ClientFile file{Format::json, "", "CLAUDE_CONFIG_DIR", "", ".claude", {"settings.json"}, {}};
  file.keys = {base("env/ANTHROPIC_BASE_URL", Wire::anthropic),
               stand_in("env/ANTHROPIC_AUTH_TOKEN", Wire::anthropic),
               fixed("statusLine/type", Wire::anthropic, When::status_line, "command"),
               {"statusLine/command", Value::status_line, Wire::anthropic, When::status_line, ""}};
  Client made = program("claude", "Claude Code");
  made.install = "npm install -g @anthropic-ai/claude-code";
  made.one_run = OneRun::variables;
  made.files = {file};
  made.key_variables = {"ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"};
  return made;
}

Client opencode() {
  ClientFile file{Format::json,
                  "OPENCODE_CONFIG",
                  "XDG_CONFIG_HOME",
                  "opencode",
                  ".config/opencode",
                  {"opencode.jsonc", "opencode.json"},
                  {}};
  file.keys = {base_v1("provider/anthropic/options/baseURL", Wire::anthropic),
               stand_in("provider/anthropic/options/apiKey", Wire::anthropic),
               base_v1("provider/openai/options/baseURL", Wire::openai_responses)};
  Client made = program("opencode", "opencode");
  made.install = "npm install -g opencode-ai";
  // It takes no address from a variable, but a whole configuration.
  made.one_run = OneRun::content;
  made.run_variable = "OPENCODE_CONFIG_CONTENT";
  made.files = {file};
  made.key_variables = {"ANTHROPIC_API_KEY"};
  made.note = kOpenAiNote;
  return made;
}

Client qwen() {
  ClientFile file{Format::json, "", "QWEN_HOME", "", ".qwen", {"settings.json"}, {}};
  // An address alone is not used while another way to log in is chosen.
  file.keys = {base_v1("env/OPENAI_BASE_URL", Wire::openai_chat),
               stand_in("env/OPENAI_API_KEY", Wire::openai_chat),
               fixed("security/auth/selectedType", Wire::openai_chat, When::always, "openai")};
  Client made = program("qwen", "Qwen Code");
  made.install = "npm install -g @qwen-code/qwen-code";
  made.one_run = OneRun::variables;
  made.files = {file};
  made.run_words = {"--auth-type", "openai"};
  made.subcommands = {"mcp", "extensions", "auth", "hooks", "hook", "channel", "review"};
  made.key_variables = {"OPENAI_API_KEY"};
  made.note = kQwenNote;
  return made;
}

Client pi() {
  ClientFile file{Format::json, "", "PI_CODING_AGENT_DIR", "", ".pi/agent", {"models.json"}, {}};
  file.keys = {base("providers/anthropic/baseUrl", Wire::anthropic),
               base_v1("providers/openai/baseUrl", Wire::openai_responses)};
  Client made = program("pi", "pi");
  made.files = {file};
  made.note = kOpenAiNote;
  return made;
}

Client codex() {
  ClientFile file{Format::toml, "", "CODEX_HOME", "", ".codex", {"config.toml"}, {}};
  // The built-in provider with another address: a provider of its own would hide earlier sessions.
  file.keys = {base_v1("openai_base_url", Wire::openai_responses)};
  Client made = program("codex", "Codex");
  made.files = {file};
  return made;
}

Client gemini() {
  ClientFile settings{Format::json,      "", "GEMINI_CLI_HOME", ".gemini", ".gemini",
                      {"settings.json"}, {}};
  // The address alone is refused by it: the way to log in has to be named too.
  settings.keys = {
      fixed("security/auth/selectedType", Wire::gemini, When::always, "gemini-api-key")};
  ClientFile variables{Format::variables, "", "GEMINI_CLI_HOME", ".gemini", ".gemini",
                       {".env"},          {}};
  variables.keys = {base("GOOGLE_GEMINI_BASE_URL", Wire::gemini)};
  Client made = program("gemini", "Gemini CLI");
  made.files = {settings, variables};
  return made;
}

// A library: variables in a file that the user names.
Client library(std::string_view name, std::string_view title, ClientKey key) {
  Client made;
  made.name = name;
  made.title = title;
  made.variables = {key};
  made.note = kKeyNote;
  return made;
}

const std::vector<Client>& table() {
  static const std::vector<Client> kTable = {
      claude(),
      opencode(),
      qwen(),
      pi(),
      codex(),
      gemini(),
      library("anthropic-sdk", "The Anthropic SDK", base("ANTHROPIC_BASE_URL", Wire::anthropic)),
      library("openai-sdk", "The OpenAI SDK", base_v1("OPENAI_BASE_URL", Wire::openai_chat)),
  };
  return kTable;
}

std::vector<std::string> names_in(std::string_view path) {
  std::vector<std::string> names;
  while (true) {
    const std::size_t slash = path.find('/');
    names.emplace_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return names;
    path.remove_prefix(slash + 1);
  }
}

std::string value_of(const ClientKey& key, const Wanted& wanted) {
  switch (key.value) {
    case Value::base:
      return wanted.url;
    case Value::base_v1:
      return wanted.url + "/v1";
    case Value::status_line:
      return wanted.status_line;
    case Value::stand_in:
      return wanted.stand_in;
    case Value::fixed:
      break;
  }
  return std::string(key.fixed);
}

bool is_wanted(const ClientKey& key, const Wanted& wanted) {
  if (!is_served(key.wire)) return false;
  switch (key.when) {
    case When::always:
      return true;
    case When::status_line:
      return !wanted.status_line.empty();
    case When::stand_in:
      return !wanted.stand_in.empty();
  }
  return false;
}

// A line of variables would break a file of another kind.
bool takes_variables(std::string_view path) {
  constexpr std::array<std::string_view, 20> kOthers = {
      ".json", ".jsonc", ".json5", ".toml", ".yaml", ".yml", ".xml", ".plist", ".ini", ".service",
      ".py",   ".js",    ".mjs",   ".ts",   ".rb",   ".ps1", ".bat", ".cmd",   ".md",  "cshrc"};
  return std::ranges::none_of(kOthers,
                              [&](std::string_view ending) { return path.ends_with(ending); });
}

std::vector<Setting> settings_of(const std::vector<ClientKey>& keys, const Wanted& wanted) {
  std::vector<Setting> settings;
  for (const ClientKey& key : keys) {
    if (is_wanted(key, wanted)) settings.push_back({names_in(key.path), value_of(key, wanted)});
  }
  return settings;
}

}  // namespace

bool is_served(Wire wire) {
  switch (wire) {
    case Wire::anthropic:
    case Wire::openai_chat:
      return true;
    case Wire::openai_responses:
    case Wire::gemini:
      return false;
  }
  return false;
}

const char* title(Wire wire) {
  switch (wire) {
    case Wire::anthropic:
      return "the Anthropic Messages API";
    case Wire::openai_chat:
      return "OpenAI Chat Completions";
    case Wire::openai_responses:
      return "the OpenAI Responses API";
    case Wire::gemini:
      return "the Gemini API";
  }
  return "";
}

std::span<const Client> clients() {
  return table();
}

const Client* client_named(std::string_view name) {
  for (const Client& client : table()) {
    if (client.name == name) return &client;
  }
  return nullptr;
}

std::string unserved(const Client& client) {
  Wire wire = Wire::anthropic;
  const auto any_served = [&wire](const std::vector<ClientKey>& keys) {
    for (const ClientKey& key : keys) {
      if (is_served(key.wire)) return true;
      wire = key.wire;
    }
    return false;
  };
  if (any_served(client.variables)) return "";
  for (const ClientFile& file : client.files) {
    if (any_served(file.keys)) return "";
  }
  return fmt::format("{} speaks {}, which this release does not serve", client.title, title(wire));
}

Result<std::string> path_of(const ClientFile& file, const Variables& variables) {
  if (!file.whole.empty()) {
    std::string whole = variables(std::string(file.whole));
    if (whole.starts_with('/')) return whole;
  }
  std::string folder = variables(std::string(file.variable));
  if (folder.starts_with('/')) {
    if (!file.beside.empty()) folder += "/" + std::string(file.beside);
  } else {
    const std::string home = variables("HOME");
    if (!home.starts_with('/')) return fail(ErrorCode::config, "HOME names no folder");
    folder = home + "/" + std::string(file.folder);
  }
  std::string path;
  for (const std::string_view name : file.names) {
    path = folder + "/" + std::string(name);
    std::error_code error;
    if (std::filesystem::exists(path, error)) break;
  }
  return path;
}

Result<std::vector<Aim>> aims(const Client& client, const Wanted& wanted,
                              const Variables& variables) {
  std::vector<Aim> all;
  for (const ClientFile& file : client.files) {
    auto path = path_of(file, variables);
    if (!path) return std::unexpected(std::move(path.error()));
    all.push_back({std::move(*path), file.format, settings_of(file.keys, wanted)});
  }
  if (!client.files.empty()) return all;
  if (!takes_variables(wanted.file)) {
    return fail(ErrorCode::config,
                wanted.file +
                    ": no file of variables is called so; use one that a shell reads "
                    "(~/.profile, config.fish), environment.d/NAME.conf or .env");
  }
  all.push_back({wanted.file, variable_format(wanted.file), settings_of(client.variables, wanted)});
  return all;
}

bool takes_stand_in(const Client& client) {
  return std::ranges::any_of(client.files, [](const ClientFile& file) {
    return std::ranges::count(file.keys, When::stand_in, &ClientKey::when) > 0;
  });
}

Result<std::vector<Setting>> variables_for_run(const Client& client, const Wanted& wanted,
                                               const Variables& variables) {
  std::vector<Setting> settings;
  for (const ClientFile& file : client.files) {
    for (Setting& one : settings_of(file.keys, wanted)) settings.push_back(std::move(one));
  }
  switch (client.one_run) {
    case OneRun::none:
      break;
    case OneRun::variables:
      std::erase_if(settings, [](const Setting& one) { return one.path.front() != "env"; });
      for (Setting& one : settings) one.path = {one.path.back()};
      return settings;
    case OneRun::content: {
      const std::string variable(client.run_variable);
      const auto edited = apply(Format::json, variables(variable), settings);
      if (!edited) return fail(edited.error().code, variable + ": " + edited.error().message);
      return std::vector<Setting>{{{variable}, edited->text}};
    }
  }
  return fail(ErrorCode::config, std::string(client.title) + " takes no settings for one run");
}

std::vector<std::string> words_for_run(const Client& client,
                                       const std::vector<std::string>& given) {
  std::vector<std::string> words;
  const bool to_subcommand =
      !given.empty() && std::ranges::count(client.subcommands, std::string_view(given.front())) > 0;
  const auto is_stated = [&](const std::string& word) {
    return word == client.run_words.front() ||
           word.starts_with(std::string(client.run_words.front()) + "=");
  };
  if (!client.run_words.empty() && !to_subcommand && std::ranges::none_of(given, is_stated)) {
    words.assign(client.run_words.begin(), client.run_words.end());
  }
  words.insert(words.end(), given.begin(), given.end());
  return words;
}

Format variable_format(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  if (name.ends_with(".fish")) return Format::fish;
  const bool is_plain = name.ends_with(".conf") || name.ends_with(".env") ||
                        name.starts_with(".env.") || name == "environment";
  return is_plain ? Format::variables : Format::shell;
}

}  // namespace nl::clients
