// Settings in JSON, in place: the first member of an object, or the value of one that is there.
//
// A new member goes before the others, where it needs no comma of theirs. Pure.
#pragma once

#include <optional>
#include <string>

#include "clients/edit.h"

namespace nl::clients {

// Puts `setting` into `text`. Nothing when it holds already. Errors: config.
Result<std::optional<Change>> set_json(std::string& text, const Setting& setting);

// Takes `change` out of `text`; what is to be said of a value that is no longer ours, else empty.
// Errors: config.
Result<std::string> unset_json(std::string& text, const Change& change);

}  // namespace nl::clients
