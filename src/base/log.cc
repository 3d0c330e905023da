#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <memory>

namespace nl::log {
namespace {

std::atomic<Level> minimum{Level::info};

spdlog::logger& sink() {
  // Never destroyed: a line may still be written while the process winds down.
  static spdlog::logger* const logger = [] {
    auto* made =
        new spdlog::logger("nightlight", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%e %l %v");
    made->set_level(spdlog::level::trace);
    return made;
  }();
  return *logger;
}

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warn:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

}  // namespace

void set_level(Level level) {
  minimum.store(level, std::memory_order_relaxed);
}
bool enabled(Level level) {
  return level >= minimum.load(std::memory_order_relaxed);
}

void write(Level level, std::string_view text) {
  std::string clean(text.substr(0, 2000));
  for (char& c : clean) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  sink().log(to_spdlog(level), "{}", clean);
}

}  // namespace nl::log
