// A model that is on this machine already, copied into the store.
//
// Shares the file's blocks where the file system can. Blocks on the disk; any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/error.h"

namespace nl::engine {

// Copies a file of any size to a new one, mode 0600, sharing its blocks where the file system can;
// `copied` is told how many bytes are there. After an error the new file is incomplete. Errors: io.
Result<void> copy_file(const std::string& from, const std::string& to,
                       const std::function<void(std::uint64_t)>& copied);

}  // namespace nl::engine
