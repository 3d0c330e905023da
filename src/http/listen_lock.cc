#include "http/listen_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <system_error>
#include <utility>

namespace nl::http {
namespace {

// A file name that no other address has: everything but letters, digits, '.' and '-' is escaped.
std::string file_name(const ListenAddress& address) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string name = "listen-";
  for (const char c : to_text(address)) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       c == '.' || c == '-';
    if (plain) {
      name += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    name += '_';
    name += digits[byte >> 4];
    name += digits[byte & 15];
  }
  if (name.size() > 200) name = name.substr(0, 150) + name.substr(name.size() - 50);
  return name + ".lock";
}

std::unexpected<Error> failed(const std::string& path, int error) {
  return fail(ErrorCode::io, "cannot lock " + path + ": " + std::generic_category().message(error));
}

std::string pid_in(int descriptor) {
  std::array<char, 32> text{};
  const ssize_t got = pread(descriptor, text.data(), text.size() - 1, 0);
  std::string_view pid(text.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  pid = pid.substr(0, pid.find_first_not_of("0123456789"));
  return pid.empty() ? "unknown" : std::string(pid);
}

}  // namespace

std::string to_text(const ListenAddress& address) {
  if (!address.unix_path.empty()) return "unix:" + address.unix_path;
  const bool v6 = address.host.find(':') != std::string::npos;
  return (v6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

Result<std::unique_ptr<ListenLock>> ListenLock::take(const std::string& folder,
                                                     const ListenAddress& address) {
  const std::string path = folder + "/" + file_name(address);
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor < 0) return failed(path, errno);
  std::unique_ptr<ListenLock> lock(new ListenLock(descriptor));
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return failed(path, errno);
    return fail(ErrorCode::io, "address " + to_text(address) +
                                   " is already served by nightlight, pid " + pid_in(descriptor));
  }
  const std::string pid = std::to_string(getpid()) + "\n";
  if (ftruncate(descriptor, 0) != 0 ||
      pwrite(descriptor, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    return failed(path, errno);
  }
  return lock;
}

std::unique_ptr<ListenLock> ListenLock::adopt(int descriptor) {
  return std::unique_ptr<ListenLock>(new ListenLock(descriptor));
}

Result<int> ListenLock::holder(const std::string& folder, const ListenAddress& address) {
  const std::string path = folder + "/" + file_name(address);
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (descriptor < 0) {
    if (errno == ENOENT) return 0;
    return failed(path, errno);
  }
  const ListenLock closes(descriptor);
  // Free means that nobody serves; the lock taken here goes with the descriptor.
  if (flock(descriptor, LOCK_SH | LOCK_NB) == 0) return 0;
  if (errno != EWOULDBLOCK) return failed(path, errno);
  const std::string text = pid_in(descriptor);
  int pid = 0;
  std::from_chars(text.data(), text.data() + text.size(), pid);
  return pid;
}

int ListenLock::release() {
  return std::exchange(descriptor_, -1);
}

// The file stays: removing it could take it away from a process that has just opened it.
ListenLock::~ListenLock() {
  if (descriptor_ >= 0) (void)close(descriptor_);
}

}  // namespace nl::http
