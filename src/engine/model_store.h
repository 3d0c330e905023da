// ModelStore: the folder of pulled models: blobs by digest, and one manifest for each name.
//
// blobs/sha256-<hex> are whole, verified files; blobs/*.partial and *.progress belong to a pull
// that is under way. manifests/<name>.json is text of the caller's. Folders are 0700, everything
// that gets a name gets it by a rename. Names and digests are checked before they become paths, so
// nothing outside the folder is reached. Blocks on the disk; any thread, one writer by StoreLock.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace nl::engine {

// Held by whoever changes the store; freed when it dies or its process does.
class StoreLock {
 public:
  StoreLock(StoreLock&& other) noexcept;
  StoreLock(const StoreLock&) = delete;
  StoreLock& operator=(const StoreLock&) = delete;
  ~StoreLock();

 private:
  friend class ModelStore;
  explicit StoreLock(int file) : file_(file) {}
  int file_;
};

// What becomes of pulls that did not come to their end: they can go on where they are.
enum class Unfinished : std::uint8_t { keep, remove };

class ModelStore {
 public:
  // `folder` is absolute and need not exist; empty = a store without anything.
  explicit ModelStore(std::string folder) : folder_(std::move(folder)) {}

  const std::string& folder() const { return folder_; }
  // Makes the folders. Errors: io, config.
  Result<void> prepare() const;
  // Errors: io (another process has it; the message says which), and those of prepare().
  Result<StoreLock> lock() const;

  // Where the blob of these 64 digits is or would be.
  std::string blob(std::string_view hex) const;
  // True when it is there with that many bytes.
  bool has_blob(std::string_view hex, std::uint64_t bytes) const;
  // Free for us on the store's file system; nothing known = as good as everything.
  std::uint64_t free_bytes() const;

  // Every manifest's text, by name.
  std::vector<std::string> manifests() const;
  // Errors: io, config (a name that is none).
  Result<void> write_manifest(const std::string& name, std::string_view text) const;
  Result<void> remove_manifest(const std::string& name) const;
  // What the blobs take but those of these digits, unfinished pulls included.
  std::uint64_t bytes_except(const std::set<std::string>& kept) const;
  // What unfinished pulls take; a pull that goes on needs so much less.
  std::uint64_t unfinished_bytes() const;
  // Removes every blob but those of these digits; the bytes freed.
  std::uint64_t remove_blobs_except(const std::set<std::string>& kept, Unfinished unfinished) const;

 private:
  struct Unnamed {
    std::string path;
    std::uint64_t bytes;  // of a sparse file, what it takes
  };

  Result<std::string> manifest_path(const std::string& name) const;
  std::vector<Unnamed> blobs_except(const std::set<std::string>& kept, Unfinished unfinished) const;

  std::string folder_;
};

}  // namespace nl::engine
