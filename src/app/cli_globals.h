// The options that every command takes, before its name or after it.
//
// Plain declarations over CLI11; what they are written into must outlive the parse. Pure.
#pragma once

#include <string>

#include "app/cli.h"
#include "base/log.h"

namespace CLI {
class App;
}

namespace nl::app {

void add_global_options(CLI::App& app, CliOptions& options, std::string& level);

log::Level level_named(const std::string& name);

}  // namespace nl::app
