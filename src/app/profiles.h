// Profiles of clients for the local tier: the built-in ones and the user's, from TOML.
//
// A file ~/.config/nightlight/profiles/NAME.toml is tried before the built-in profiles, so that a
// copy of one with another text takes its place. A file that is wrong, or that others could have
// written, is left out with a warning: no request fails for it. Reads files; pure otherwise.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/environment.h"
#include "base/error.h"
#include "standby/profile.h"

namespace nl::app {

struct Profiles {
  std::vector<standby::Profile> list;  // first match wins
  std::vector<std::string> warnings;
};
Profiles load_profiles(const Environment& environment);

// One profile as a file states it; `path` is for messages. Errors: config, every mistake with its
// line.
Result<standby::Profile> parse_profile(std::string_view toml, const std::string& path);

// The built-in profiles as files, to copy and edit.
std::string built_in_profiles();

}  // namespace nl::app
