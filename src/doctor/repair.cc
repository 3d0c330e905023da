#include "doctor/repair.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "http/listener.h"

namespace nl::doctor {
namespace {

std::unexpected<Error> failed(const std::string& path) {
  return fail(ErrorCode::io, fmt::format("{}: {}", path, std::strerror(errno)));
}

Result<void> make_private(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  if (file < 0) return failed(path);
  struct stat status {};
  const bool ours =
      ::fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == ::geteuid();
  Result<void> done;
  if (!ours) {
    done = fail(ErrorCode::io, path + ": is not a plain file of yours");
  } else if (::fchmod(file, 0600) != 0) {
    done = failed(path);
  }
  ::close(file);
  return done;
}

Result<void> remove(const std::string& path, mode_t kind) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return failed(path);
  if ((status.st_mode & S_IFMT) != kind || status.st_uid != ::geteuid()) {
    return fail(ErrorCode::io, path + ": is something else by now");
  }
  if (kind == S_IFSOCK) return http::remove_stale_socket(path);
  if (::unlink(path.c_str()) != 0) return failed(path);
  return {};
}

}  // namespace

Result<std::string> repair(const Repair& order) {
  std::string text;
  for (const std::string& path : order.paths) {
    Result<void> done;
    std::string_view what = "removed";
    switch (order.kind) {
      case RepairKind::make_private:
        done = make_private(path);
        what = "made private (mode 0600):";
        break;
      case RepairKind::remove_socket:
        done = remove(path, S_IFSOCK);
        break;
      case RepairKind::remove_file:
        done = remove(path, S_IFREG);
        break;
    }
    if (!done) return std::unexpected(done.error());
    if (!text.empty()) text += "; ";
    text += fmt::format("{} {}", what, path);
  }
  return text;
}

}  // namespace nl::doctor
