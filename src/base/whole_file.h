// Files of the program's own that are read and replaced whole: records, manifests, settings kept.
//
// A replacement goes through a second file beside the first and a rename, so that a reader sees the
// old or the new one and never a half, and of two writers the later one wins. Such files are 0600
// and their folders 0700. Files of the user's, which keep mode, owner and links, are not for this
// (clients/kept_file.h). Blocks on the disk; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace nl {

// Errors: not_found, io (unreadable, not a regular file, more than `bytes_max`).
Result<std::string> read_whole_file(const std::string& path, std::size_t bytes_max);

// Makes missing folders. Errors: io; the old file is as it was then.
Result<void> write_whole_file(const std::string& path, std::string_view text);

// Makes `folder` and what is missing before it; those made, outermost first. Errors: io.
Result<std::vector<std::string>> make_folders(const std::string& folder);

}  // namespace nl
