// The capability probe of an engine program: does it start, which version is it, does it know the
// options we start it with.
//
// Runs `--version` and `--help` as a child under the same rules as the engine itself, with a time
// limit. Blocks until then: off the loop. `stop` ends it early.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace nl::engine {

struct Capabilities {
  std::string version;  // one line, e.g. "version: 0.5.0 (abc)"; may be empty
};

inline constexpr Duration kProbeWithin = std::chrono::seconds(10);

// Errors: io (does not run), timeout, unsupported (options are missing; the message names them).
Result<Capabilities> probe_binary(const std::string& path, Duration within,
                                  const std::atomic<bool>& stop);

// Whether it names a device; blocks for two seconds at most.
bool drives_gpus(const std::string& path);
// The same from what --list-devices prints.
bool lists_devices(std::string_view text);

// The options of `wanted` that the text of a --help does not offer.
std::vector<std::string> missing_options(std::string_view help,
                                         const std::vector<std::string>& wanted);

}  // namespace nl::engine
