// FitRecord: what was tried on this machine, what worked and what failed; remembered across starts.
//
// A small file of lines beside the model store. Entries name the model and the program by stamps
// that change with the files, so a newer one begins afresh; forget() clears everything. A file that
// cannot be read counts as empty: the record may cost a step, never a start. Blocks on the disk;
// one thread at a time, and of two processes the later one wins.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "engine/launch.h"

namespace nl::engine {

// What ran, or was to run.
struct FitKey {
  std::string model;    // path, size and time of the file
  std::string program;  // the same of the engine's program
  friend bool operator==(const FitKey&, const FitKey&) = default;
};

struct FitEntry {
  enum class What : std::uint8_t { worked, failed };
  What what = What::failed;
  FitKey key;
  std::uint64_t memory_bytes = 0;  // that its plan needed, by the memory rule
  std::uint32_t context_tokens = 0;
  int slots = 0;
  std::string when;    // UTC, sorts as text
  std::string reason;  // failed: for people, one line
  double read = 0;     // worked: tokens/s, measured with one prompt
  double write = 0;
};

class FitRecord {
 public:
  // "" = remembered for as long as this lives.
  explicit FitRecord(std::string path) : path_(std::move(path)) {}

  bool remembers() const { return !path_.empty(); }
  // The most that a plan for `key` may take after what failed; 0 = no bound.
  std::uint64_t memory_bytes_most(const FitKey& key) const;
  // What a plan like this one did when it worked: same files, context and slots.
  std::optional<FitEntry> worked(const FitKey& key, const LaunchPlan& plan) const;
  // The newest measured rates of that model, under whatever plan and program.
  std::optional<FitEntry> rates_of(std::string_view model) const;
  // The last failure of `key`.
  std::optional<FitEntry> failure(const FitKey& key) const;
  // Every entry, the oldest first.
  const std::vector<FitEntry>& entries() const;

  // Errors: io.
  Result<void> add(FitEntry entry);
  Result<void> forget();

 private:
  void load() const;

  std::string path_;
  mutable bool loaded_ = false;
  mutable std::vector<FitEntry> entries_;
};

// Names a state of a file, across restarts of the machine too: what keys are made of.
std::string lasting_name(const std::string& path);

// The entry's beginning for a plan.
FitEntry entry_for(const FitKey& key, const LaunchPlan& plan, WallTime when);

// "32768 tokens, 2 slots (19.3 GB) failed on 2026-11-25: out of memory", for people.
std::string describe(const FitEntry& entry);

std::string write_fit_entries(const std::vector<FitEntry>& entries);
std::vector<FitEntry> read_fit_entries(std::string_view text);

}  // namespace nl::engine
