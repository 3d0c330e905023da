// SpeedRecord: how fast memory was found to be read, kept with the hardware that it was measured
// on.
//
// A measurement is noisy, and sizes are chosen by it: it is made once, so that every command
// chooses the same. A small file of lines, one for each machine (a home folder may be shared); one
// that cannot be read counts as empty. Blocks on the disk; one thread at a time, and of two
// processes the later one wins.
#pragma once

#include <optional>
#include <string>

#include "base/error.h"
#include "engine/machine.h"

namespace nl::engine {

// What a measurement holds for: "AMD Ryzen 9 7950X, 16 cores, 64 GiB". A control group of fewer
// cores is another machine in that.
std::string hardware_name(const Machine& machine);
std::string hardware_name(const Machine& machine, const std::string& processor);

class SpeedRecord {
 public:
  // "" = keeps nothing.
  explicit SpeedRecord(std::string path) : path_(std::move(path)) {}

  // Nothing when it was never measured there.
  std::optional<Bandwidth> of(const std::string& hardware) const;
  // In place of what was known of `hardware`; makes the folder where it is missing. Errors: io.
  Result<void> keep(const std::string& hardware, const Bandwidth& speed) const;

 private:
  std::string path_;
};

}  // namespace nl::engine
