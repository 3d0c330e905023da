#include "work/kept_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace nl::work {
namespace {

std::unexpected<Error> system_error(const std::string& path, int code) {
  const ErrorCode kind = code == ENOENT ? ErrorCode::not_found : ErrorCode::io;
  return fail(kind, fmt::format("{}: {}", path, std::strerror(code)));
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

// Reads to the end of `into`; 0, or errno.
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

}  // namespace

Result<std::string> read_kept(const std::string& path, std::size_t bytes_max) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
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

Result<void> write_kept(const std::string& path, std::string_view text) {
  if (auto made = make_folder(std::filesystem::path(path).parent_path()); !made) return made;
  // A name of its own: another writer of the same file must not find half of this one.
  std::string fresh = path + ".XXXXXX";
  const int file = ::mkostemp(fresh.data(), O_CLOEXEC);
  if (file < 0) return system_error(path, errno);
  int code = put(file, text);
  ::close(file);
  if (code == 0 && std::rename(fresh.c_str(), path.c_str()) != 0) code = errno;
  if (code == 0) return {};
  ::unlink(fresh.c_str());
  return system_error(path, code);
}

Result<void> make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  if (folder.empty() || std::filesystem::is_directory(folder, error)) return {};
  if (auto made = make_folder(folder.parent_path()); !made) return made;
  if (::mkdir(folder.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return system_error(folder.string(), errno);
}

}  // namespace nl::work
