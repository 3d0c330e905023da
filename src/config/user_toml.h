// The user's own TOML files beside the configuration: recipes, profiles, the record of steps.
//
// Each is checked as the configuration is, and read by TableReader afterwards. Blocks on the disk;
// any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/toml.h"

namespace nl::config {

// The .toml files right in `folder`, sorted, at most `files_max`; none where there is no folder.
std::vector<std::string> toml_files(const std::string& folder, std::size_t files_max);

// The tables of `text`, a file at `path`; nothing, and a mistake, when it is no TOML.
std::optional<toml::table> toml_tables(std::string_view text, const std::string& path,
                                       Mistakes& mistakes);

}  // namespace nl::config
