// InputFile: a file of the user, read from its start to its end and closed with its owner.
//
// Regular files and pipes (`<(command)` in a shell), or bytes that are already here; a folder is
// refused. Messages name the path as
// it may be shown on a terminal. One thread at a time; reading blocks.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "base/error.h"

namespace nl::documents {

class InputFile {
 public:
  // Errors: io.
  static Result<InputFile> open(const std::filesystem::path& path);
  // What a pipe brought, read like a file.
  static InputFile holding(std::string bytes);
  ~InputFile();
  InputFile(InputFile&& other) noexcept;
  InputFile& operator=(InputFile&& other) noexcept;
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  // Appends up to `bytes_max` more bytes to `to` and says how many; 0 at the end. Errors: io.
  Result<std::size_t> read(std::string& to, std::size_t bytes_max);

  // All that is left. Errors: io, too_large (over `bytes_max`).
  Result<std::string> rest(std::size_t bytes_max);

 private:
  InputFile(int descriptor, std::string name);

  int descriptor_ = -1;
  std::string name_;
  std::string held_;
  std::size_t held_at_ = 0;
};

// `path` as one line for people.
std::string shown(const std::filesystem::path& path);

// A size for people, such as "64 MiB".
std::string mebibytes(std::size_t bytes);

}  // namespace nl::documents
