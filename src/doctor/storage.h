// The checks of what is kept on disks: state folder, ledger, configuration and key files, rest of
// broken-off pulls, the last drill.
//
// look_at_folder() tries to write one small file and removes it; everything else is pure. Any
// thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "doctor/finding.h"

namespace nl::doctor {

// A folder that is to be written, or what will hold it when it is not there yet.
struct FolderFacts {
  std::string path;
  std::string looked_at;  // itself, or the nearest above it that is there
  std::uint64_t free_bytes = 0;
  std::string trouble;   // why nothing can be written there; empty = it can
  bool is_full = false;  // and that is for lack of room
};
FolderFacts look_at_folder(const std::string& path);

struct LedgerFacts {
  std::string path;
  bool there = false;
  bool writable = true;
  bool is_database = true;
};
LedgerFacts look_at_ledger(const std::string& path);

struct StorageFacts {
  FolderFacts state;
  LedgerFacts ledger;
  FolderFacts models;
  bool has_model = false;
};

inline constexpr std::uint64_t kStateFault = 8ULL << 20;
inline constexpr std::uint64_t kStateWarning = 200ULL << 20;
// The smallest size of the family, and what a pull leaves free.
inline constexpr std::uint64_t kModelRoom = 6'000'000'000;

Findings check_storage(const StorageFacts& storage);

// Files that hold keys, or say where keys go.
struct SecretFile {
  std::string path;
  unsigned mode = 0600;
  bool is_config = false;
};

struct ConfigFacts {
  // What the configuration's reader complains about, a line for each mistake.
  std::string trouble;
  std::vector<SecretFile> files;
};

Findings check_config(const ConfigFacts& config);

// What a broken-off pull left, and when it was last written.
struct PartialPull {
  std::vector<std::string> files;
  std::uint64_t bytes = 0;
  WallTime touched;
};

// Older than this, nobody comes back for it.
inline constexpr auto kPullForgotten = std::chrono::hours(24 * 7);

Findings check_pulls(const std::vector<PartialPull>& pulls, WallTime now);

inline constexpr auto kDrillDue = std::chrono::hours(24 * 31);

// `last`: when the newest drill began; nothing = never.
Findings check_drill(std::optional<WallTime> last, WallTime now);

}  // namespace nl::doctor
