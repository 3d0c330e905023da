#include "engine/copy_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace nl::engine {
namespace {

std::unexpected<Error> system_error(const std::string& path, int code) {
  return fail(ErrorCode::io, fmt::format("{}: {}", path, std::strerror(code)));
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
