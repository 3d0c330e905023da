// KeptFile: a file of the user's as it was found, and its replacement in one step.
//
// Links are followed, so that a dotfile kept elsewhere is changed there; mode and owner stay as
// they were, and a file that has been changed between the look and the write is not overwritten. A
// file with several hard links is written in place, or they would part. Refuses what is no plain
// file, what is larger than 4 MiB and, unless told otherwise, what is read-only. Any thread.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace nl::clients {

enum class ReadOnly : std::uint8_t { refuse, override };

class KeptFile {
 public:
  // A file that is not there is found as well: exists() says so. Errors: io, config.
  static Result<KeptFile> look(const std::string& path);

  bool exists() const { return exists_; }
  const std::string& text() const { return text_; }
  const std::string& target() const { return target_; }  // behind the links
  bool is_read_only() const { return exists_ && (status_.st_mode & 0200) == 0; }

  // Whether it may be replaced; the message has the fix. Errors: io.
  Result<void> check(ReadOnly rule) const;
  // Puts `text` in its place, making missing folders (`made`, outermost first, names them) and, for
  // a new file, mode 0600. Errors: io; nothing has changed then.
  Result<std::vector<std::string>> replace(std::string_view text) const;
  // Removes it and those of `folders` that are empty then. Errors: io.
  Result<void> remove(const std::vector<std::string>& folders) const;

 private:
  Result<void> unchanged() const;
  Result<void> write_in_place(std::string_view text) const;

  std::string target_;
  std::string text_;
  bool exists_ = false;
  struct stat status_ {};
};

}  // namespace nl::clients
