// KeptFile: small files of the user's work, read and replaced whole.
//
// A replacement goes through a second file and a rename, so that a reader, the running gateway
// among them, sees the old or the new one and never a half. Files are 0600 and folders 0700: they
// hold prompts and answers. Blocks on the disk; any thread.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.h"

namespace nl::work {

// Errors: not_found, io (unreadable, not a regular file, more than `bytes_max`).
Result<std::string> read_kept(const std::string& path, std::size_t bytes_max);

// Makes the folder first where it is missing. Errors: io.
Result<void> write_kept(const std::string& path, std::string_view text);

// Makes `folder` and what is missing above it, mode 0700. Errors: io.
Result<void> make_folder(const std::filesystem::path& folder);

}  // namespace nl::work
