// File access of configuration: what may be read, and by whose leave.
//
// A file decides where keys go, so one that somebody else could have written is refused. The checks
// are made on the opened file, not on its name. Relative names are refused: they would depend on
// the working directory.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/environment.h"
#include "base/error.h"
#include "base/secret.h"

namespace nl::config {

enum class FileMode : std::uint8_t { owner_only, readable_by_others };

struct ConfigText {
  std::string text;
  std::string path;
  FileMode mode = FileMode::owner_only;
};

// Where a configuration is looked for when none is named, the first that is there counts.
std::vector<std::string> config_places(const Environment& environment);

// Errors: not_found when there is no such file; config for everything else, with the fix.
Result<ConfigText> read_config_file(const std::string& path);

// The key in the file at `path`, without the line end. Errors: config.
Result<Secret> read_key_file(const std::string& path);

// `path` with a leading ~/ replaced. Errors: config when it is not absolute then.
Result<std::string> absolute_path(std::string_view path, const Environment& environment);

// ~/.config/nightlight, where a user's own files are; empty when there is no home.
std::string user_config_folder(const Environment& environment);

// Empty when `key` can stand in a header, else what is wrong with it, without showing it.
std::string unfit_key(std::string_view key);

}  // namespace nl::config
