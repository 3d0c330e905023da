#include "app/profiles.h"

#include <fmt/format.h>

#include "app/profiles_built_in.h"
#include "config/file.h"
#include "config/user_toml.h"

namespace nl::app {
namespace {

constexpr std::size_t kFilesMax = 64;
constexpr double kBytesMost = 65536;

std::vector<std::string> strings(config::TableReader& reader, std::string_view key,
                                 config::Mistakes& mistakes) {
  std::vector<std::string> made;
  if (auto written = reader.texts(key)) {
    for (config::Located& text : *written) {
      if (text.text.empty()) {
        mistakes.add(text.place, fmt::format("{}: an empty text is found everywhere", key),
                     "remove it");
      }
      made.push_back(std::move(text.text));
    }
  }
  return made;
}

void size(config::TableReader& reader, std::string_view key, std::size_t& value) {
  if (const auto bytes = reader.whole(key, {0, kBytesMost}, "bytes")) {
    value = static_cast<std::size_t>(*bytes);
  }
}

void read_tools(config::TableReader& top, standby::Profile& profile, config::Mistakes& mistakes) {
  for (const toml::table* table : top.tables("tool")) {
    config::TableReader reader(*table, "[[tool]]", mistakes);
    const auto name = reader.text("name");
    const auto description = reader.text("description");
    std::vector<std::string> keep = strings(reader, "keep", mistakes);
    reader.finish();
    if (name && description) {
      profile.tools.push_back({name->text, description->text, std::move(keep)});
    } else {
      mistakes.add(config::place_of(*table), "a tool needs a name and a description", "");
    }
  }
}

}  // namespace

Result<standby::Profile> parse_profile(std::string_view toml, const std::string& path) {
  config::Mistakes mistakes(path);
  const auto tables = config::toml_tables(toml, path, mistakes);
  if (!tables) return std::unexpected(mistakes.error());
  config::TableReader top(*tables, "", mistakes);
  standby::Profile profile;
  if (const auto name = top.text("name")) profile.name = name->text;
  if (const auto system = top.text("system")) profile.system = system->text;
  profile.agents = strings(top, "agents", mistakes);
  profile.marks = strings(top, "marks", mistakes);
  profile.begins = strings(top, "begins", mistakes);
  profile.ends = strings(top, "ends", mistakes);
  profile.keep_sections = strings(top, "keep_sections", mistakes);
  profile.leave_out = strings(top, "leave_out", mistakes);
  profile.leave_sections = strings(top, "leave_sections", mistakes);
  profile.core_tools = strings(top, "core_tools", mistakes);
  profile.tools_out = strings(top, "tools_out", mistakes);
  size(top, "description_bytes", profile.description_bytes);
  size(top, "property_bytes", profile.property_bytes);
  read_tools(top, profile, mistakes);
  top.finish();
  if (profile.name.empty() || profile.agents.empty()) {
    mistakes.add({1, 1}, "a profile needs a name and agents", "");
  }
  if (!mistakes.empty()) return std::unexpected(mistakes.error());
  return profile;
}

Profiles load_profiles(const Environment& environment) {
  Profiles loaded;
  const std::string folder = config::user_config_folder(environment);
  const auto files = folder.empty() ? std::vector<std::string>()
                                    : config::toml_files(folder + "/profiles", kFilesMax);
  for (const std::string& path : files) {
    const auto file = config::read_config_file(path);
    auto profile = file ? parse_profile(file->text, path)
                        : Result<standby::Profile>(std::unexpected(file.error()));
    if (profile) {
      loaded.list.push_back(std::move(*profile));
    } else {
      loaded.warnings.push_back("profile left out: " + profile.error().message);
    }
  }
  for (const std::string_view text : kBuiltInProfiles) {
    auto profile = parse_profile(text, "built-in profile");
    if (profile) loaded.list.push_back(std::move(*profile));
  }
  return loaded;
}

std::string built_in_profiles() {
  std::string out;
  for (const std::string_view text : kBuiltInProfiles) out += text;
  return out;
}

}  // namespace nl::app
