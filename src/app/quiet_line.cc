#include "app/quiet_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "work/shown.h"

namespace nl::app {

work::EndpointLimits endpoint_limits(std::string_view route) {
  work::EndpointLimits limits;
  const bool here = route == "offline" || route == "@local";
  limits.quiet = here ? std::chrono::seconds(2) : std::chrono::seconds(10);
  return limits;
}

std::string quiet_line(const config::Config& config, std::string_view target) {
  const double seconds = std::chrono::duration<double>(config.limits.wait).count();
  return fmt::format(
      "waiting for {}: it may be loading, reading, or away. If it is away this ends after {:.0f} s "
      "at most (wait_s of [limits]); Ctrl-C ends it now",
      target.empty() ? "whoever can answer" : target, seconds);
}

work::OnQuiet say_what_is_awaited(const config::Config& config) {
  return [&config](const std::string& target) {
    // A line of progress may stand there.
    fmt::print(stderr, "{}nightlight: {}\n", isatty(2) == 1 ? "\r\x1b[K" : "",
               work::visible(quiet_line(config, target)));
  };
}

}  // namespace nl::app
