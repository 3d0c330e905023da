// Addresses in configuration: base URLs as people write them, and which of them are this machine.
//
// Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "dialect/dialect.h"

namespace nl::config {

// `url` with the version in its path exactly once and without a trailing slash or the name of an
// operation: "https://x", "https://x/v1/", "https://x/v1/v1" and "https://x/v1/messages" all become
// "https://x/v1". A path that already has another version ("/v1beta/openai") stays. Checks nothing
// else.
std::string api_root(std::string_view url, dialect::DialectId dialect);

// True for 127.0.0.0/8, ::1 and localhost (and names below it).
bool is_loopback(std::string_view host);

}  // namespace nl::config
