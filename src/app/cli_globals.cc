#include "app/cli_globals.h"

#include <CLI/CLI.hpp>

namespace nl::app {

void add_global_options(CLI::App& app, CliOptions& options, std::string& level) {
  app.add_option("--config", options.config.path, "configuration file")->type_name("FILE");
  app.add_option("--listen", options.config.listen, "address to listen on; may be repeated")
      ->type_name("ADDR")
      ->expected(1)
      ->take_all();
  app.add_option("--workers", options.config.workers, "event loops")
      ->type_name("N")
      ->check(CLI::Range(1, 256));
  app.add_option("--log", level, "least level of log lines")
      ->type_name("LEVEL")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}));
}

log::Level level_named(const std::string& name) {
  if (name == "debug") return log::Level::debug;
  if (name == "warn") return log::Level::warn;
  return name == "error" ? log::Level::error : log::Level::info;
}

}  // namespace nl::app
