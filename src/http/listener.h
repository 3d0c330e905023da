// Listener: one bound address and the sockets that come in on it.
//
// Accepts while the server has room; out of descriptors it pauses for a moment instead of spinning.
// A unix socket gets mode 0600; a stale file in its place is removed only if nobody answers on it,
// and the own one when the listener ends. Loop thread.
#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>
#include <string>

#include "base/error.h"
#include "http/loop.h"
#include "http/server.h"

namespace nl::http {

// Removes the socket at `path` unless somebody listens behind it; nothing there is fine. Any
// thread. Errors: io.
Result<void> remove_stale_socket(const std::string& path);

class Listener {
 public:
  // Takes over an accepted descriptor.
  using Accepted = std::function<void(int descriptor)>;
  // Whether there is room for one more connection.
  using HasRoom = std::function<bool()>;

  // Binds; port 0 picks one. Errors: io ("address ... is already in use" and the like).
  static Result<std::unique_ptr<Listener>> open(Loop& loop, const ListenAddress& address);
  // Goes on with a descriptor that release() gave, to an earlier image of this process too.
  static std::unique_ptr<Listener> adopt(Loop& loop, int descriptor, const ListenAddress& address);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  void start(Accepted accepted, HasRoom has_room);
  // Goes on after has_room() was false or descriptors ran out.
  void resume();
  void stop();
  // Accepts no more; who comes waits with the system.
  void hold();
  // The bound descriptor, which is the caller's from now on; -1 when it is closed already.
  int release();
  std::uint16_t port() const { return port_; }

 private:
  class Pause;
  Listener(Loop& loop, int descriptor, std::uint16_t port, std::string unix_path);
  void wait();
  void accept_waiting();

  Loop& loop_;
  asio::posix::stream_descriptor descriptor_;
  std::uint16_t port_;
  std::string unix_path_;
  Accepted accepted_;
  HasRoom has_room_;
  bool waiting_ = false;
  bool held_ = false;
  std::unique_ptr<Pause> pause_;
  // A wait that has completed may still be queued when the listener goes; it holds this weakly.
  std::shared_ptr<Listener*> self_;
};

}  // namespace nl::http
