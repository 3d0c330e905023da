#include "base/whole_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace nl {
namespace {

std::unexpected<Error> system_error(const std::string& path, int code) {
  const ErrorCode kind = code == ENOENT ? ErrorCode::not_found : ErrorCode::io;
  return fail(kind, fmt::format("{}: {}", path, std::strerror(code)));
}

// Empty where there is none: what is relative is kept in the working directory.
std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return "";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// Reads until `into` is full or the file ends; 0, or errno.
int take(int file, std::string& into) {
  std::size_t there = 0;
  while (there < into.size()) {
    const ssize_t got = ::read(file, into.data() + there, into.size() - there);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno;
    if (got == 0) break;
    there += static_cast<std::size_t>(got);
  }
  into.resize(there);
  return 0;
}

// Writes and syncs; 0, or errno.
int put(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return ::fsync(file) == 0 ? 0 : errno;
}

}  // namespace

Result<std::string> read_whole_file(const std::string& path, std::size_t bytes_max) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (file < 0) return system_error(path, errno);
  struct stat found {};
  std::string text;
  int code = ::fstat(file, &found) == 0 ? 0 : errno;
  if (code == 0 && !S_ISREG(found.st_mode)) code = S_ISDIR(found.st_mode) ? EISDIR : EINVAL;
  if (code == 0 && static_cast<std::size_t>(found.st_size) > bytes_max) code = EFBIG;
  if (code == 0) {
    text.resize(static_cast<std::size_t>(found.st_size));
    code = take(file, text);
  }
  ::close(file);
  if (code != 0) return system_error(path, code);
  return text;
}

Result<void> write_whole_file(const std::string& path, std::string_view text) {
  if (auto made = make_folders(folder_of(path)); !made) {
    return std::unexpected(std::move(made.error()));
  }
  // A name of its own: another writer of the same file must not find half of this one.
  std::string fresh = path + ".XXXXXX";
  const int file = ::mkstemp(fresh.data());  // with mode 0600
  if (file < 0) return fail(ErrorCode::io, fmt::format("{}: {}", path, std::strerror(errno)));
  ::fcntl(file, F_SETFD, FD_CLOEXEC);
  int code = put(file, text);
  ::close(file);
  if (code == 0 && std::rename(fresh.c_str(), path.c_str()) != 0) code = errno;
  if (code == 0) return {};
  ::unlink(fresh.c_str());
  return fail(ErrorCode::io, fmt::format("{}: {}", path, std::strerror(code)));
}

Result<std::vector<std::string>> make_folders(const std::string& folder) {
  std::vector<std::string> missing;
  struct stat status {};
  for (std::string at = folder; !at.empty(); at = folder_of(at)) {
    if (::stat(at.c_str(), &status) == 0) break;
    if (errno != ENOENT) return system_error(at, errno);
    missing.push_back(at);
  }
  std::reverse(missing.begin(), missing.end());
  for (const std::string& one : missing) {
    if (::mkdir(one.c_str(), 0700) != 0 && errno != EEXIST) {
      return fail(ErrorCode::io, fmt::format("{}: {}", one, std::strerror(errno)));
    }
  }
  return missing;
}

}  // namespace nl
