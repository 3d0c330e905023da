#include "app/profiles.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "app/config_file.h"
#include "app/config_toml.h"
#include "app/profiles_built_in.h"

namespace nl::app {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFilesMax = 64;
constexpr double kBytesMost = 65536;

std::vector<std::string> strings(TableReader& reader, std::string_view key) {
  std::vector<std::string> made;
  if (auto written = reader.texts(key)) {
    for (Located& text : *written) made.push_back(std::move(text.text));
  }
  return made;
}

void size(TableReader& reader, std::string_view key, std::size_t& value) {
  if (const auto bytes = reader.whole(key, {0, kBytesMost}, "bytes")) {
    value = static_cast<std::size_t>(*bytes);
  }
}

void read_tools(TableReader& top, standby::Profile& profile, Mistakes& mistakes) {
  for (const toml::table* table : top.tables("tool")) {
    TableReader reader(*table, "[[tool]]", mistakes);
    const auto name = reader.text("name");
    const auto description = reader.text("description");
    reader.finish();
    if (name && description) {
      profile.tools.push_back({name->text, description->text});
    } else {
      mistakes.add(place_of(*table), "a tool needs a name and a description", "");
    }
  }
}

std::vector<std::string> files_in(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().extension() == ".toml" && files.size() < kFilesMax) {
      files.push_back(entry->path());
    }
  }
  std::ranges::sort(files);
  return files;
}

}  // namespace

Result<standby::Profile> parse_profile(std::string_view toml, const std::string& path) {
  Mistakes mistakes(path);
  if (const auto place = stray_byte(toml)) {
    mistakes.add(*place, "a character outside ASCII that is not in quotes", "quote or remove it");
    return std::unexpected(mistakes.error());
  }
  const toml::parse_result parsed = toml::parse(toml, path);
  if (!parsed) {
    const toml::source_position at = parsed.error().source().begin;
    mistakes.add({at.line, at.column},
                 fmt::format("not valid TOML: {}", parsed.error().description()), "");
    return std::unexpected(mistakes.error());
  }
  TableReader top(parsed.table(), "", mistakes);
  standby::Profile profile;
  if (const auto name = top.text("name")) profile.name = name->text;
  if (const auto system = top.text("system")) profile.system = system->text;
  profile.agents = strings(top, "agents");
  profile.marks = strings(top, "marks");
  profile.ends = strings(top, "ends");
  profile.keep_sections = strings(top, "keep_sections");
  profile.leave_out = strings(top, "leave_out");
  profile.core_tools = strings(top, "core_tools");
  profile.tools_out = strings(top, "tools_out");
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
  const std::string folder = user_config_folder(environment);
  const auto files = folder.empty() ? std::vector<std::string>() : files_in(folder + "/profiles");
  for (const std::string& path : files) {
    const auto file = read_config_file(path);
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
