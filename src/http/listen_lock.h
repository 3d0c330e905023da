// ListenLock: one running gateway per listen address.
//
// A lock on a file named for the address, held as long as this lives and released by the system if
// the process dies; the file tells the holder's pid. Nothing else is kept in it. Any thread.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "http/server.h"

namespace nl::http {

class ListenLock {
 public:
  // `folder` exists and is the user's own. Errors: io; "address ... is already served by
  // nightlight, pid N" when another process holds it.
  static Result<std::unique_ptr<ListenLock>> take(const std::string& folder,
                                                  const ListenAddress& address);
  // Goes on with what release() gave, to an earlier image of this process too.
  static std::unique_ptr<ListenLock> adopt(int descriptor);
  // The pid of the process that serves `address` now; 0 = none does. Errors: io.
  static Result<int> holder(const std::string& folder, const ListenAddress& address);
  // The locked descriptor, which is the caller's from now on.
  int release();
  ~ListenLock();
  ListenLock(const ListenLock&) = delete;
  ListenLock& operator=(const ListenLock&) = delete;

 private:
  explicit ListenLock(int descriptor) : descriptor_(descriptor) {}

  int descriptor_;
};

// As a person would write it: "127.0.0.1:2300", "[::1]:2300", "unix:/PATH".
std::string to_text(const ListenAddress& address);

}  // namespace nl::http
