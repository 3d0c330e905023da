// Status: the running gateway's own account of itself, for people and for a client's status line.
//
// The texts are pure functions of the JSON of /nightlight/status; status() asks and prints.
#pragma once

#include <string>
#include <string_view>

#include "app/cli.h"
#include "base/error.h"

namespace nl::app {

// Errors: protocol when `json` is not what a gateway says.
Result<std::string> status_text(std::string_view json);
// "nightlight: tier 1 anthropic" or "nightlight: tier 2 openrouter: REASON"; one line.
Result<std::string> status_line(std::string_view json);

// The command; 0 even when nothing runs in the form of a line: a status line must not break.
int status(const CliOptions& options, const config::Config& config);

}  // namespace nl::app
