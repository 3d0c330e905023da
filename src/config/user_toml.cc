#include "config/user_toml.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

namespace nl::config {

std::vector<std::string> toml_files(const std::string& folder, std::size_t files_max) {
  namespace fs = std::filesystem;
  std::vector<std::string> files;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().extension() == ".toml") files.push_back(entry->path());
  }
  std::ranges::sort(files);
  if (files.size() > files_max) files.resize(files_max);
  return files;
}

std::optional<toml::table> toml_tables(std::string_view text, const std::string& path,
                                       Mistakes& mistakes) {
  if (const auto place = stray_byte(text)) {
    mistakes.add(*place, "a character outside ASCII that is not in quotes", "quote or remove it");
    return std::nullopt;
  }
  toml::parse_result parsed = toml::parse(text, path);
  if (!parsed) {
    const toml::source_position at = parsed.error().source().begin;
    mistakes.add({at.line, at.column},
                 fmt::format("not valid TOML: {}", parsed.error().description()), "");
    return std::nullopt;
  }
  return std::move(parsed).table();
}

}  // namespace nl::config
