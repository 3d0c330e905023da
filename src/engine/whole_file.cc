#include "engine/whole_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace nl::engine {
namespace {

std::unexpected<Error> system_error(const std::string& path, int code) {
  return fail(ErrorCode::io, fmt::format("{}: {}", path, std::strerror(code)));
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

constexpr std::size_t kCopyBytes = 8U << 20;

// The next bytes of `in` to `out`: how many; 0 = the end, negative = errno says.
ssize_t copy_some(int in, int out) {
#ifdef __linux__
  const ssize_t shared = ::copy_file_range(in, nullptr, out, nullptr, kCopyBytes, 0);
  const bool unable =
      shared < 0 && (errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP);
  if (!unable) return shared;
#endif
  std::string buffer(kCopyBytes, '\0');
  const ssize_t got = ::read(in, buffer.data(), buffer.size());
  if (got <= 0) return got;
  std::string_view left(buffer.data(), static_cast<std::size_t>(got));
  while (!left.empty()) {
    const ssize_t written = ::write(out, left.data(), left.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return -1;
    left.remove_prefix(static_cast<std::size_t>(written));
  }
  return got;
}

}  // namespace

Result<std::string> read_whole_file(const std::string& path, std::size_t bytes_max) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return system_error(path, errno);
  struct stat found {};
  std::string text;
  int code = ::fstat(file, &found) == 0 && S_ISREG(found.st_mode) ? 0 : EINVAL;
  if (code == 0 && static_cast<std::size_t>(found.st_size) > bytes_max) code = EFBIG;
  if (code == 0) {
    text.resize(static_cast<std::size_t>(found.st_size));
    const ssize_t got = ::read(file, text.data(), text.size());
    if (got < 0) code = errno;
    text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  }
  ::close(file);
  if (code != 0) return system_error(path, code);
  return text;
}

Result<void> write_whole_file(const std::string& path, std::string_view text) {
  const std::string fresh = path + ".new";
  ::unlink(fresh.c_str());
  const int file = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return system_error(fresh, errno);
  int code = put(file, text);
  ::close(file);
  if (code == 0 && std::rename(fresh.c_str(), path.c_str()) != 0) code = errno;
  if (code == 0) return {};
  ::unlink(fresh.c_str());
  return system_error(path, code);
}

Result<void> copy_file(const std::string& from, const std::string& to,
                       const std::function<void(std::uint64_t)>& copied) {
  const int in = ::open(from.c_str(), O_RDONLY | O_CLOEXEC);
  if (in < 0) return system_error(from, errno);
  const int out = ::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  int code = out < 0 ? errno : 0;
  std::uint64_t there = 0;
  while (code == 0) {
    const ssize_t count = copy_some(in, out);
    if (count == 0) break;
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      code = errno;
    } else {
      there += static_cast<std::uint64_t>(count);
      copied(there);
    }
  }
  if (code == 0 && ::fsync(out) != 0) code = errno;
  ::close(in);
  if (out >= 0) ::close(out);
  if (code != 0) return system_error(to, code);
  return {};
}

}  // namespace nl::engine
