// SocketFolder: a private folder with room for the socket of one engine.
//
// Below the user's runtime folder, else below a folder of the user's own in the place for temporary
// files; mode 0700, owned by us, no link, or it is refused. The path of the socket fits the
// system's limit (107 bytes). Removed, with the socket, when this is destroyed. Blocks on the disk.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"

namespace nl::engine {

inline constexpr std::size_t kSocketPathMax = 107;

class SocketFolder {
 public:
  // `runtime` is the user's runtime folder (XDG_RUNTIME_DIR), or empty; `temporary` is used where
  // that cannot be. Errors: io, config (the path is too long or not ours alone).
  static Result<std::unique_ptr<SocketFolder>> make(const std::string& runtime,
                                                    const std::string& temporary);
  ~SocketFolder();
  SocketFolder(const SocketFolder&) = delete;
  SocketFolder& operator=(const SocketFolder&) = delete;

  const std::string& socket() const { return socket_; }
  // Before a start: a child cannot listen where an old socket lies. Also makes sure that the folder
  // is still there and ours. Errors: io.
  Result<void> clear() const;

 private:
  explicit SocketFolder(std::string folder);

  std::string folder_;
  std::string socket_;
};

}  // namespace nl::engine
