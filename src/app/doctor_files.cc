#include "app/doctor_files.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <map>
#include <optional>

#include "base/whole_file.h"
#include "config/file.h"
#include "config/toml.h"
#include "config/url.h"
#include "dialect/json.h"
#include "doctor/storage.h"
#include "http/server.h"
#include "models/model_record.h"

namespace nl::app {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFileMax = 1u << 20;
// A pull that was written to just now is under way.
constexpr auto kUnderWay = std::chrono::minutes(2);

std::string config_file_of(const config::ConfigSource& source, const Environment& environment) {
  if (!source.path.empty()) return source.path;
  std::error_code error;
  for (const std::string& place : config::config_places(environment)) {
    if (fs::exists(place, error)) return place;
  }
  return "";
}

toml::parse_result parsed_file(const std::string& path) {
  const auto text = read_whole_file(path, kFileMax);
  // What the library cannot be shown (config_toml.h) is none of its business here either.
  const bool fit = text && !config::stray_byte(*text);
  return toml::parse(fit ? std::string_view(*text) : std::string_view());
}

void add_file(std::vector<doctor::SecretFile>& files, const std::string& path, bool is_config) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return;
  doctor::SecretFile file;
  file.path = path;
  file.mode = status.st_mode & 07777;
  // A service manager hands keys out as root:group 0440, which is no one's mistake.
  const bool handed_out = !is_config && status.st_uid == 0 && (file.mode & 037) == 0;
  file.is_config = is_config;
  if (!handed_out) files.push_back(std::move(file));
}

void add_key_file(std::vector<doctor::SecretFile>& files, const toml::node_view<toml::node>& node,
                  const Environment& environment) {
  const auto text = node.value<std::string>();
  if (!text || !text->starts_with("file:")) return;
  const auto path = config::absolute_path(text->substr(5), environment);
  if (path) add_file(files, *path, false);
}

// The time in the name of a drill's folder: "2026-11-25-173000", in local time.
std::optional<WallTime> drill_time(const std::string& name) {
  if (name.size() < 10 || name[4] != '-' || name[7] != '-') return std::nullopt;
  int parts[3] = {};
  const std::size_t from[3] = {0, 5, 8};
  const std::size_t size[3] = {4, 2, 2};
  for (int i = 0; i < 3; ++i) {
    const char* const begin = name.data() + from[i];
    const auto [end, error] = std::from_chars(begin, begin + size[i], parts[i]);
    if (error != std::errc() || end != begin + size[i]) return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(parts[0]),
                                         std::chrono::month(static_cast<unsigned>(parts[1])),
                                         std::chrono::day(static_cast<unsigned>(parts[2]))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date);
}

std::optional<WallTime> last_drill(const std::string& folder) {
  std::optional<WallTime> last;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const auto when = drill_time(it->path().filename().string());
    if (when && (!last || *when > *last)) last = when;
  }
  return last;
}

// PATH.partial and PATH.progress of one pull belong together.
std::vector<doctor::PartialPull> broken_off(const std::string& store, WallTime now) {
  std::map<std::string, doctor::PartialPull> pulls;
  std::error_code error;
  for (fs::directory_iterator it(store + "/blobs", error), end; !error && it != end;
       it.increment(error)) {
    const std::string ending = it->path().extension().string();
    struct stat status {};
    const bool left = ending == ".partial" || ending == ".progress";
    if (!left || ::lstat(it->path().c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    doctor::PartialPull& pull = pulls[it->path().stem().string()];
    pull.files.push_back(it->path().string());
    pull.bytes += static_cast<std::uint64_t>(status.st_blocks) * 512;
    pull.touched = std::max(pull.touched, std::chrono::system_clock::from_time_t(status.st_mtime));
  }
  std::vector<doctor::PartialPull> made;
  for (auto& [name, pull] : pulls) {
    if (now - pull.touched > kUnderWay) made.push_back(std::move(pull));
  }
  return made;
}

bool is_own_address(const config::Config& config, const http::Endpoint& endpoint) {
  const bool is_own_name =
      config::is_loopback(endpoint.host) || std::ranges::count(config.hosts, endpoint.host) > 0;
  return std::ranges::any_of(config.listen, [&](const std::string& text) {
    const auto address = http::parse_listen_address(text);
    return address && address->unix_path.empty() && address->port == endpoint.port &&
           (is_own_name || address->host == endpoint.host);
  });
}

doctor::ClientSetting setting_of(const config::Config& config, std::string where,
                                 std::string_view url) {
  doctor::ClientSetting setting;
  setting.where = std::move(where);
  const auto parsed = http::parse_base_url(url);
  if (!parsed) {
    setting.address = "an address that is none";
    return setting;
  }
  setting.address = parsed->endpoint.authority();
  setting.port = parsed->endpoint.port;
  setting.loopback = config::is_loopback(parsed->endpoint.host);
  setting.ours = is_own_address(config, parsed->endpoint);
  return setting;
}

void add_claude_file(std::vector<doctor::ClientSetting>& settings, const config::Config& config,
                     const std::string& path) {
  const auto text = read_whole_file(path, kFileMax);
  dialect::Document document;
  if (!text || !document.parse(*text)) return;
  const std::string url = document.root()["env"]["ANTHROPIC_BASE_URL"].text().utf8();
  if (!url.empty()) {
    settings.push_back(setting_of(config, "env.ANTHROPIC_BASE_URL in " + path, url));
    settings.back().file = path;
  }
}

}  // namespace

Diagnosis look_at_config(const config::ConfigSource& source, const Environment& environment,
                         const std::string& trouble) {
  doctor::ConfigFacts facts;
  facts.trouble = trouble;
  const std::string path = config_file_of(source, environment);
  Diagnosis diagnosis;
  diagnosis.looked_at.push_back("configuration " + (path.empty() ? "none: defaults" : path));
  if (!path.empty()) {
    add_file(facts.files, path, true);
    toml::parse_result parsed = parsed_file(path);
    if (parsed) {
      toml::table table = std::move(parsed).table();
      add_key_file(facts.files, table["auth"]["token"], environment);
      if (toml::array* providers = table["provider"].as_array()) {
        for (std::size_t i = 0; i < providers->size(); ++i) {
          add_key_file(facts.files, table["provider"][i]["key"], environment);
        }
      }
    }
  }
  diagnosis.findings = doctor::check_config(facts);
  return diagnosis;
}

Diagnosis look_at_storage(const config::Config& config, const Environment& environment) {
  const engine::ModelStore store = models::model_store(environment);
  const WallTime now = std::chrono::system_clock::now();
  doctor::StorageFacts facts;
  facts.state = doctor::look_at_folder(config.state_dir);
  facts.ledger = doctor::look_at_ledger(config.ledger_path());
  if (!store.folder().empty()) facts.models = doctor::look_at_folder(store.folder());
  facts.has_model = !models::read_records(store).empty() || config.engine.model != "auto" ||
                    !config.uses_engine();
  Diagnosis diagnosis;
  diagnosis.findings = doctor::check_storage(facts);
  doctor::append(diagnosis.findings, doctor::check_pulls(broken_off(store.folder(), now), now));
  doctor::append(diagnosis.findings,
                 doctor::check_drill(last_drill(config.state_dir + "/drills"), now));
  diagnosis.looked_at.push_back(fmt::format("state folder {}, {} free", config.state_dir,
                                            models::size_text(facts.state.free_bytes)));
  diagnosis.looked_at.push_back(fmt::format("model store {}, {} free", store.folder(),
                                            models::size_text(facts.models.free_bytes)));
  return diagnosis;
}

std::string certificate_file(const config::Config& config) {
  if (!config.tls || config.source_path.empty()) return "";
  toml::parse_result parsed = parsed_file(config.source_path);
  if (!parsed) return "";
  return parsed.table()["tls"]["certificate"].value_or(std::string());
}

std::vector<doctor::ClientSetting> client_settings(const config::Config& config,
                                                   const Environment& environment) {
  std::vector<doctor::ClientSetting> settings;
  for (const char* name : {"ANTHROPIC_BASE_URL", "OPENAI_BASE_URL", "OPENAI_API_BASE"}) {
    if (const auto url = environment.find(name)) {
      settings.push_back(setting_of(config, fmt::format("{} in the environment", name), *url));
    }
  }
  for (const auto& [name, service] : {std::pair("CLAUDE_CODE_USE_BEDROCK", "Amazon Bedrock"),
                                      std::pair("CLAUDE_CODE_USE_VERTEX", "Google Vertex")}) {
    const std::string value = environment.text(name);
    if (value.empty() || value == "0" || value == "false") continue;
    doctor::ClientSetting setting;
    setting.where = fmt::format("{} in the environment", name);
    setting.address = service;
    settings.push_back(std::move(setting));
  }
  std::string folder = environment.text("CLAUDE_CONFIG_DIR");
  if (folder.empty()) folder = environment.text("HOME") + "/.claude";
  add_claude_file(settings, config, folder + "/settings.json");
  return settings;
}

}  // namespace nl::app
