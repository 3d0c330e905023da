// Settings in TOML, in place: keys at the top, before the first table. Pure.
//
// Only where the statements stand is looked at, with as much of the grammar as that takes; a text
// that does not hold to it is refused with its line.
#pragma once

#include <optional>
#include <string>

#include "clients/edit.h"

namespace nl::clients {

// Puts `setting`, whose path is one name, into `text`. Nothing when it holds already. Errors:
// config.
Result<std::optional<Change>> set_toml(std::string& text, const Setting& setting);

// Takes `change` out of `text`; what is to be said of a value that is no longer ours, else empty.
// Errors: config.
Result<std::string> unset_toml(std::string& text, const Change& change);

}  // namespace nl::clients
