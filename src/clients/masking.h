// Masking: text of the user's as it may be shown: what looks like a secret is not.
//
// By the name that a value stands behind (KEY, TOKEN, Authorization ...), by the form that vendors
// give their keys, and by its place in an address. A help for people, no promise: what it does not
// know it shows. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace nl::clients {

// `line` with *** for the values of secrets: NAME = value, "name": "value", https://user:word@host.
std::string masked(std::string_view line);
// The value of `name`, which may be the last of several names.
std::string shown_value(std::string_view name, std::string_view value);

}  // namespace nl::clients
