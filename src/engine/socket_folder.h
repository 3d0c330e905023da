// SocketFolder: a private folder with room for the socket of one engine.
//
// Below the user's runtime folder, else below a folder of the user's own in the place for temporary
// files; mode 0700, owned by us, no link, or it is refused. The path of the socket fits the
// system's limit (107 bytes). Locked for as long as this lives, and removed, with the socket, when
// it is destroyed. What a killed process left behind has no lock any more: the next make() beside
// it removes it. Blocks on the disk.
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
  // Takes over what release() gave, from an earlier image of this process too.
  static std::unique_ptr<SocketFolder> adopt(std::string folder, int lock);
  ~SocketFolder();
  SocketFolder(const SocketFolder&) = delete;
  SocketFolder& operator=(const SocketFolder&) = delete;

  const std::string& socket() const { return socket_; }
  // Before a start: a child cannot listen where an old socket lies. Also makes sure that the folder
  // is still there and ours; another one, with another path, may take its place. Errors: io,
  // config.
  Result<void> clear();
  // Lets go of the folder without removing it; its lock, which the caller has to keep or close.
  int release();
  const std::string& path() const { return folder_; }

 private:
  explicit SocketFolder(std::string folder);
  // Makes and locks it. Errors: io, config.
  Result<void> claim();

  std::string folder_;
  std::string socket_;
  int lock_ = -1;  // the folder itself, open and locked
};

}  // namespace nl::engine
