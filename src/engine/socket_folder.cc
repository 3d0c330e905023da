#include "engine/socket_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "base/random.h"

namespace nl::engine {
namespace {

// A folder that nobody else can enter or has put there. Made when it is missing.
Result<void> own_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail(ErrorCode::io, path + ": " + std::strerror(errno));
  }
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) {
    return fail(ErrorCode::io, path + ": " + std::strerror(errno));
  }
  const bool ours =
      S_ISDIR(found.st_mode) && found.st_uid == ::getuid() && (found.st_mode & 077) == 0;
  if (!ours) return fail(ErrorCode::config, path + ": is not a folder of ours alone (mode 0700)");
  return {};
}

// The engine takes a comma as the end of an address.
bool usable(const std::string& socket) {
  return socket.size() <= kSocketPathMax && socket.starts_with('/') &&
         socket.find_first_of(",\"\n") == std::string::npos;
}

constexpr std::string_view kPrefix = "engine-";
constexpr const char* kSocketName = "e.sock";
// A sweep at the wrong moment takes a new folder away before its lock is there.
constexpr int kClaimsMax = 8;
constexpr std::size_t kSweptMax = 256;

std::string own_name() {
  return std::string(kPrefix) + random_id(10);
}

// The folder at `path`, open and locked; -1 when it is no folder of ours or somebody has the lock.
int lock_folder(const std::string& path) {
  const int folder = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (folder < 0) return -1;
  struct stat opened {};
  struct stat found {};
  const bool ours = ::fstat(folder, &opened) == 0 && opened.st_uid == ::getuid() &&
                    ::flock(folder, LOCK_EX | LOCK_NB) == 0 && ::lstat(path.c_str(), &found) == 0 &&
                    found.st_dev == opened.st_dev && found.st_ino == opened.st_ino;
  if (ours) return folder;
  ::close(folder);
  return -1;
}

// Removes the folders in `shared` whose owner has died: nobody holds their lock.
void sweep(const std::string& shared) {
  DIR* const listing = ::opendir(shared.c_str());
  if (listing == nullptr) return;
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(listing)) {
    const std::string_view name(entry->d_name);
    if (name.starts_with(kPrefix) && names.size() < kSweptMax) names.emplace_back(name);
  }
  ::closedir(listing);
  for (const std::string& name : names) {
    const std::string path = shared + "/" + name;
    const int folder = lock_folder(path);
    if (folder < 0) continue;
    ::unlinkat(folder, kSocketName, 0);
    ::rmdir(path.c_str());
    ::close(folder);
  }
}

}  // namespace

SocketFolder::SocketFolder(std::string folder)
    : folder_(std::move(folder)), socket_(folder_ + "/" + kSocketName) {}

Result<void> SocketFolder::claim() {
  const std::string shared = folder_.substr(0, folder_.rfind('/'));
  Result<void> made;
  for (int i = 0; i < kClaimsMax; ++i) {
    made = own_folder(folder_);
    if (made) lock_ = lock_folder(folder_);
    if (lock_ >= 0) return {};
    folder_ = shared + "/" + own_name();
    socket_ = folder_ + "/" + kSocketName;
  }
  return made ? fail(ErrorCode::io, folder_ + ": cannot be locked") : made;
}

Result<std::unique_ptr<SocketFolder>> SocketFolder::make(const std::string& runtime,
                                                         const std::string& temporary) {
  Error last(ErrorCode::config, "no folder for the engine's socket");
  for (const std::string* base : {&runtime, &temporary}) {
    if (base->empty()) continue;
    const std::string shared = base == &runtime
                                   ? *base + "/nightlight"
                                   : fmt::format("{}/nightlight-{}", *base, ::getuid());
    std::unique_ptr<SocketFolder> folder(new SocketFolder(shared + "/" + own_name()));
    if (!usable(folder->socket())) {
      last = Error(ErrorCode::config,
                   fmt::format("{}: no path for a socket: {} bytes are the most, and no comma",
                               folder->socket(), kSocketPathMax));
      continue;
    }
    auto made = own_folder(shared);
    if (made) {
      sweep(shared);
      made = folder->claim();
    }
    if (made) return folder;
    last = std::move(made.error());
  }
  return std::unexpected(std::move(last));
}

std::unique_ptr<SocketFolder> SocketFolder::adopt(std::string folder, int lock) {
  std::unique_ptr<SocketFolder> adopted(new SocketFolder(std::move(folder)));
  adopted->lock_ = lock;
  return adopted;
}

int SocketFolder::release() {
  return std::exchange(lock_, -1);
}

SocketFolder::~SocketFolder() {
  if (lock_ < 0) return;
  ::unlink(socket_.c_str());
  ::rmdir(folder_.c_str());
  ::close(lock_);
}

Result<void> SocketFolder::clear() {
  struct stat held {};
  struct stat found {};
  const bool still_there = ::fstat(lock_, &held) == 0 && ::lstat(folder_.c_str(), &found) == 0 &&
                           found.st_dev == held.st_dev && found.st_ino == held.st_ino;
  if (!still_there) {
    ::close(std::exchange(lock_, -1));
    const auto claimed = claim();
    if (!claimed) return claimed;
  }
  const auto ours = own_folder(folder_);
  if (!ours) return ours;
  if (::unlink(socket_.c_str()) != 0 && errno != ENOENT) {
    return fail(ErrorCode::io, socket_ + ": " + std::strerror(errno));
  }
  return {};
}

}  // namespace nl::engine
