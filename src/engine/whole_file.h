// Files that are read, replaced and copied whole: the model store's manifests and progress files,
// and models that are on this machine already.
//
// A replacement goes through a second file and a rename, so a reader sees the old or the new one.
// Blocks on the disk; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace nl::engine {

// Errors: io (missing, unreadable, not a regular file, more than `bytes_max`).
Result<std::string> read_whole_file(const std::string& path, std::size_t bytes_max);

// Mode 0600. Errors: io.
Result<void> write_whole_file(const std::string& path, std::string_view text);

// Copies a file of any size to a new one, mode 0600, sharing its blocks where the file system can;
// `copied` is told how many bytes are there. After an error the new file is incomplete. Errors: io.
Result<void> copy_file(const std::string& from, const std::string& to,
                       const std::function<void(std::uint64_t)>& copied);

}  // namespace nl::engine
