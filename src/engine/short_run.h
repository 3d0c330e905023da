// A short run of another program: started, read to its end, killed when it takes too long.
//
// For questions such as --help; under the same rules as the engine itself (spawn.h). Blocks until
// the program has ended: off the loop. Any thread.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace nl::engine {

// What it wrote. `stop` ends it early. Errors: io (does not start, or ends badly), timeout.
Result<std::string> run_to_end(const std::vector<std::string>& arguments, Instant until,
                               const std::atomic<bool>& stop);

// The same; empty when that does not work.
std::string short_run(const std::vector<std::string>& arguments,
                      Duration within = std::chrono::seconds(2));

// A driver that nothing has used since the start wakes its GPUs first, one after the other.
inline constexpr Duration kGpusWithin = std::chrono::seconds(15);

}  // namespace nl::engine
