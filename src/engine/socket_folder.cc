#include "engine/socket_folder.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

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

std::string own_name() {
  return fmt::format("engine-{}-{}", ::getpid(), random_id(6));
}

}  // namespace

SocketFolder::SocketFolder(std::string folder)
    : folder_(std::move(folder)), socket_(folder_ + "/e.sock") {}

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
    if (made) made = own_folder(folder->folder_);
    if (made) return folder;
    last = std::move(made.error());
  }
  return std::unexpected(std::move(last));
}

SocketFolder::~SocketFolder() {
  ::unlink(socket_.c_str());
  ::rmdir(folder_.c_str());
}

Result<void> SocketFolder::clear() const {
  const auto ours = own_folder(folder_);
  if (!ours) return ours;
  if (::unlink(socket_.c_str()) != 0 && errno != ENOENT) {
    return fail(ErrorCode::io, socket_ + ": " + std::strerror(errno));
  }
  return {};
}

}  // namespace nl::engine
