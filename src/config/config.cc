#include "config/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "config/file.h"
#include "config/parse.h"
#include "config/state_folder.h"
#include "config/toml.h"
#include "engine/model_name.h"

namespace nl::config {
namespace {

// Sections that DESIGN names and that have no part to govern yet.
const std::vector<std::string> kLaterSections = {"repair", "keys", "fleet", "drill"};

void parse_choices(TableReader& top, Parsing& parsing) {
  Config& config = parsing.config;
  config.discover = top.flag("discover").value_or(true);
  if (const auto word = top.word("on_local", {"auto", "continue", "read-only", "hold"})) {
    config.on_local = static_cast<router::OnLocal>(*word);
  }
  if (const toml::table* table = top.table("privacy")) {
    TableReader reader(*table, "[privacy]", parsing.mistakes);
    if (const auto word = reader.word("share", {"any", "configured", "local"})) {
      config.share = static_cast<router::Share>(*word);
    }
    reader.finish();
  }
  if (const toml::table* table = top.table("budget")) {
    TableReader reader(*table, "[budget]", parsing.mistakes);
    if (const auto usd = reader.number("failover_usd_per_day", {0, 1e6}, "dollars")) {
      config.failover_cap_micro_usd = std::llround(*usd * 1e6);
      config.failover_cap_is_explicit = true;
    }
    reader.finish();
  }
  if (const auto path = top.text("ca_file")) {
    const auto absolute = absolute_path(path->text, parsing.environment);
    if (absolute) {
      config.ca_file = *absolute;
    } else {
      top.mistake(path->place, "ca_file", absolute.error().message, "");
    }
  }
}

void refuse_later(TableReader& top) {
  for (const std::string& name : kLaterSections) {
    if (const toml::node* node = top.node(name)) {
      top.mistake(place_of(*node), name, "is not part of this release", "remove the section");
    }
  }
}

void take_environment(Config& config, const Environment& environment) {
  const auto first_of = [&](std::initializer_list<const char*> names) {
    for (const char* name : names) {
      if (const auto value = environment.find(name)) return std::string(*value);
    }
    return std::string();
  };
  config.https_proxy = first_of({"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"});
  config.no_proxy = first_of({"no_proxy", "NO_PROXY"});
  config.state_dir = state_folder(environment);
}

void take_command_line(Config& config, const ConfigSource& source) {
  if (!source.listen.empty()) {
    config.listen = source.listen;
    config.listen_place = "--listen";
    config.listen_is_default = false;
  }
  if (source.workers > 0) config.workers = source.workers;
  if (source.model == "ember" || source.model == "auto") {
    config.engine.model = source.model;
  } else if (!source.model.empty()) {
    const auto name = engine::parse_model_name(source.model);
    const bool named =
        name && !engine::is_model_path(source.model) && source.model.find(':') != std::string::npos;
    // Unlike a file's, a command line's path is meant from where the person is.
    config.engine.model =
        named ? name->text() : std::filesystem::absolute(source.model).lexically_normal().string();
  }
}

Result<Config> finish(Config config, Parsing& parsing) {
  if (!parsing.mistakes.empty()) return std::unexpected(parsing.mistakes.error());
  auto& names = config.key_variables;
  for (const provider::KnownProvider& known : provider::known_providers()) {
    for (const std::string_view name : known.key_variables) names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return config;
}

Result<Config> parse_text(const ConfigText& file, const ConfigSource& source,
                          const Environment& environment) {
  Config config;
  config.source_path = file.path;
  take_environment(config, environment);
  Mistakes mistakes(file.path);
  if (const auto place = stray_byte(file.text)) {
    mistakes.add(*place, "a character outside ASCII that is not in quotes",
                 "quote it or remove it");
    return std::unexpected(mistakes.error());
  }
  const toml::parse_result parsed = toml::parse(std::string_view(file.text), file.path);
  if (!parsed) {
    const toml::parse_error& error = parsed.error();
    mistakes.add({error.source().begin.line, error.source().begin.column},
                 fmt::format("not valid TOML: {}", error.description()), "");
    return std::unexpected(mistakes.error());
  }
  Parsing parsing{config, mistakes, environment, file.mode};
  TableReader top(parsed.table(), "", mistakes);
  const Place listen = parse_entry(top, parsing);
  parse_providers(top, parsing);
  parse_targets(top, parsing);
  parse_limits(top, parsing);
  parse_engine(top, parsing);
  parse_local(top, parsing);
  parse_standby(top, parsing);
  parse_plan(top, parsing);
  parse_notify(top, parsing);
  parse_choices(top, parsing);
  refuse_later(top);
  top.finish();
  complete_tiers(parsing);
  // Who names a model on the command line wants it to answer, whatever the file's tiers say.
  if (!source.model.empty() && !config.uses_engine()) {
    config.tiers[2].push_back(TargetConfig{std::nullopt, "engine", "", "engine"});
  }
  if (listen.line > 0) {
    config.listen_place = fmt::format("{}:{}:{}", file.path, listen.line, listen.column);
  }
  take_command_line(config, source);
  check_listen(parsing, source.listen.empty() ? listen : Place{});
  return finish(std::move(config), parsing);
}

Result<Config> without_file(const ConfigSource& source, const Environment& environment) {
  Config config;
  take_environment(config, environment);
  Mistakes mistakes("command line");
  Parsing parsing{config, mistakes, environment};
  complete_tiers(parsing);
  take_command_line(config, source);
  check_listen(parsing, Place{});
  return finish(std::move(config), parsing);
}

}  // namespace

bool Config::uses_engine() const {
  const auto among = [](const std::vector<TargetConfig>& targets) {
    return std::any_of(targets.begin(), targets.end(),
                       [](const TargetConfig& target) { return target.provider == "engine"; });
  };
  return std::any_of(std::begin(tiers), std::end(tiers), among) ||
         std::any_of(routes.begin(), routes.end(),
                     [&](const RouteConfig& route) { return among(route.targets); }) ||
         std::any_of(tasks.begin(), tasks.end(),
                     [&](const auto& task) { return among(task.second); });
}

std::optional<std::size_t> Config::provider_index(std::string_view name) const {
  for (std::size_t i = 0; i < providers.size(); ++i) {
    if (providers[i].name == name) return i;
  }
  return std::nullopt;
}

Result<Config> load_config(const ConfigSource& source, const Environment& environment) {
  if (!source.path.empty()) {
    auto file = read_config_file(source.path);
    if (!file) {
      return fail(ErrorCode::config,
                  fmt::format("{}; --config names a file that exists", file.error().message));
    }
    return parse_text(*file, source, environment);
  }
  for (const std::string& place : config_places(environment)) {
    auto file = read_config_file(place);
    if (file) return parse_text(*file, source, environment);
    if (file.error().code != ErrorCode::not_found) return std::unexpected(std::move(file.error()));
  }
  return without_file(source, environment);
}

Result<Config> parse_config(std::string_view text, const std::string& path,
                            const ConfigSource& source, const Environment& environment) {
  ConfigText file;
  file.text = std::string(text);
  file.path = path;
  return parse_text(file, source, environment);
}

}  // namespace nl::config
