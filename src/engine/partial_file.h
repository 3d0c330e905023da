// PartialFile: a file that arrives in parts, and the small file beside it that says which bytes are
// there, so that a pull goes on after a kill at any moment.
//
// PATH.partial is sparse and has its full length from the start; PATH.progress is JSON, replaced
// whole and only after the bytes it speaks of are on the disk. A progress file that does not say
// exactly what is wanted now (size, version) means starting over. Blocks on the disk; one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace nl::engine {

struct Part {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;   // one past its last byte
  std::uint64_t done = 0;  // bytes from `begin` that are there
};

struct PartSizes {
  // The first part comes alone: a model's header is in it, and can be refused early.
  std::uint64_t head_bytes = 32ULL << 20;
  std::uint64_t least_bytes = 64ULL << 20;  // of the others
};

// The first part, then at most 64 more of equal size.
std::vector<Part> split_into_parts(std::uint64_t size, const PartSizes& sizes);

class PartialFile {
 public:
  // `version` tells one state of the source from another; empty = it does not say. Errors: io.
  static Result<PartialFile> open(const std::string& path, std::uint64_t size,
                                  const std::string& version, const PartSizes& sizes);
  PartialFile(PartialFile&& other) noexcept;
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;
  ~PartialFile();

  std::string path() const { return path_ + ".partial"; }
  std::uint64_t size() const { return size_; }
  std::size_t parts() const { return parts_.size(); }
  const Part& part(std::size_t index) const { return parts_[index]; }
  std::uint64_t done() const;

  // The next bytes of a part. Errors: io (a full disk says so), not_an_answer (more than it has).
  Result<void> write(std::size_t index, std::string_view bytes);
  // Forgets what is there of a part.
  void restart(std::size_t index) { parts_[index].done = 0; }
  // Makes what was written last across a kill or a power cut. Errors: io.
  Result<void> save();
  // The first `count` bytes.
  Result<std::string> beginning(std::size_t count) const;
  // SHA-256 of the whole file; `looked` is told how many bytes it has read. Errors: io.
  Result<std::string> digest(const std::function<void(std::uint64_t)>& looked) const;
  // Gives the file its name and forgets the progress. Errors: io.
  Result<void> finish(const std::string& name);
  // Removes both files.
  void discard();

 private:
  PartialFile(std::string path, std::uint64_t size, std::string version)
      : path_(std::move(path)), size_(size), version_(std::move(version)) {}
  bool take_progress();
  std::string progress_path() const { return path_ + ".progress"; }

  std::string path_;
  std::uint64_t size_;
  std::string version_;
  std::vector<Part> parts_;
  int file_ = -1;
};

// SHA-256 of a file at `path`; `looked` as above. Errors: io.
Result<std::string> file_digest(const std::string& path,
                                const std::function<void(std::uint64_t)>& looked);

}  // namespace nl::engine
