#include "http/listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <system_error>
#include <utility>

#include "base/log.h"
#include "http/head.h"
#include "http/listen_lock.h"
#include "http/socket.h"

namespace nl::http {
namespace {

constexpr int kBacklog = 1024;
constexpr int kAcceptBatch = 64;
constexpr auto kRetryPause = std::chrono::milliseconds(100);

std::unexpected<Error> failed(const ListenAddress& address, int error) {
  const std::string reason =
      error == EADDRINUSE ? "is already in use" : std::generic_category().message(error);
  return fail(ErrorCode::io, "address " + to_text(address) + " " + reason);
}

// Owns a descriptor until release().
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return number_; }
  int release() { return std::exchange(number_, -1); }

 private:
  int number_;
};

int open_socket(int family) {
#ifdef __linux__
  return socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
#else
  return socket(family, SOCK_STREAM, 0);
#endif
}

// An Internet address as the system wants it; size 0 when the text is none.
struct SystemAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

SystemAddress internet_address(const ListenAddress& address) {
  SystemAddress made;
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  if (inet_pton(AF_INET, address.host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(address.port);
    std::memcpy(&made.storage, &v4, sizeof v4);
    made.size = sizeof v4;
  } else if (inet_pton(AF_INET6, address.host.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(address.port);
    std::memcpy(&made.storage, &v6, sizeof v6);
    made.size = sizeof v6;
  }
  return made;
}

std::uint16_t bound_port(int descriptor) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (getsockname(descriptor, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return 0;
  // sin_port and sin6_port stand in the same place.
  sockaddr_in v4{};
  std::memcpy(&v4, &storage, sizeof v4);
  return ntohs(v4.sin_port);
}

Result<int> bind_internet(const ListenAddress& address) {
  const SystemAddress target = internet_address(address);
  if (target.size == 0) return failed(address, EADDRNOTAVAIL);
  Descriptor listener(open_socket(target.storage.ss_family));
  if (listener.get() < 0) return failed(address, errno);
  const int on = 1;
  (void)setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (target.storage.ss_family == AF_INET6) {
    (void)setsockopt(listener.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  }
  const auto* const name = reinterpret_cast<const sockaddr*>(&target.storage);
  if (bind(listener.get(), name, target.size) != 0) return failed(address, errno);
  if (listen(listener.get(), kBacklog) != 0) return failed(address, errno);
  return listener.release();
}

// Removes what an earlier process left at `name`, unless somebody answers there. 0 or an errno.
int clear_stale(const sockaddr_un& name) {
  struct stat found {};
  if (lstat(name.sun_path, &found) != 0) return errno == ENOENT ? 0 : errno;
  if (!S_ISSOCK(found.st_mode)) return EEXIST;
  const Descriptor probe(open_socket(AF_UNIX));
  const auto* const target = reinterpret_cast<const sockaddr*>(&name);
  if (connect(probe.get(), target, sizeof name) == 0) return EADDRINUSE;
  if (errno != ECONNREFUSED) return errno == EAGAIN ? EADDRINUSE : errno;
  return unlink(name.sun_path) == 0 ? 0 : errno;
}

// The path as the system wants it; empty when it is too long.
sockaddr_un unix_address(const std::string& path) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (path.size() < sizeof name.sun_path) std::memcpy(name.sun_path, path.data(), path.size());
  return name;
}

Result<int> bind_unix(const ListenAddress& address) {
  const sockaddr_un name = unix_address(address.unix_path);
  if (name.sun_path[0] == '\0') return failed(address, ENAMETOOLONG);
  if (const int error = clear_stale(name)) return failed(address, error);
  Descriptor listener(open_socket(AF_UNIX));
  if (listener.get() < 0) return failed(address, errno);
  // Before bind, so that the file never exists with a wider mode.
  (void)fchmod(listener.get(), 0600);
  const auto* const target = reinterpret_cast<const sockaddr*>(&name);
  if (bind(listener.get(), target, sizeof name) != 0) return failed(address, errno);
  if (chmod(name.sun_path, 0600) != 0) return failed(address, errno);
  if (listen(listener.get(), kBacklog) != 0) return failed(address, errno);
  return listener.release();
}

}  // namespace

Result<void> remove_stale_socket(const std::string& path) {
  const sockaddr_un name = unix_address(path);
  const int error = name.sun_path[0] == '\0' ? ENAMETOOLONG : clear_stale(name);
  if (error == 0) return {};
  ListenAddress address;
  address.unix_path = path;
  return failed(address, error);
}

Result<ListenAddress> parse_listen_address(std::string_view text) {
  const auto wrong = [text] {
    return fail(ErrorCode::config,
                "listen address \"" + std::string(text) +
                    "\" is none; write 127.0.0.1:2300, [::1]:2300 or unix:/PATH");
  };
  ListenAddress address;
  if (text.starts_with("unix:")) {
    address.unix_path = text.substr(5);
    if (!address.unix_path.starts_with('/')) return wrong();
    return address;
  }
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return wrong();
  const std::string_view port = text.substr(colon + 1);
  const auto [end, failure] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (failure != std::errc() || end != port.data() + port.size()) return wrong();
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const bool v6 = host.find(':') != std::string_view::npos;
  if (v6 && !text.starts_with('[')) return wrong();
  address.host = same_name(host, "localhost") ? "127.0.0.1" : std::string(host);
  if (internet_address(address).size == 0) return wrong();
  return address;
}

class Listener::Pause final : public Timer {
 public:
  explicit Pause(Listener& listener) : listener_(listener) {}

 private:
  void on_deadline() override { listener_.resume(); }

  Listener& listener_;
};

Result<std::unique_ptr<Listener>> Listener::open(Loop& loop, const ListenAddress& address) {
  const bool is_unix = !address.unix_path.empty();
  const auto descriptor = is_unix ? bind_unix(address) : bind_internet(address);
  if (!descriptor) return std::unexpected(descriptor.error());
  const std::uint16_t port = is_unix ? std::uint16_t{0} : bound_port(*descriptor);
  return std::unique_ptr<Listener>(new Listener(loop, *descriptor, port, address.unix_path));
}

std::unique_ptr<Listener> Listener::adopt(Loop& loop, int descriptor,
                                          const ListenAddress& address) {
  const bool is_unix = !address.unix_path.empty();
  const std::uint16_t port = is_unix ? std::uint16_t{0} : bound_port(descriptor);
  return std::unique_ptr<Listener>(new Listener(loop, descriptor, port, address.unix_path));
}

Listener::Listener(Loop& loop, int descriptor, std::uint16_t port, std::string unix_path)
    : loop_(loop),
      descriptor_(loop.io(), descriptor),
      port_(port),
      unix_path_(std::move(unix_path)),
      pause_(std::make_unique<Pause>(*this)),
      self_(std::make_shared<Listener*>(this)) {}

Listener::~Listener() {
  stop();
}

void Listener::start(Accepted accepted, HasRoom has_room) {
  accepted_ = std::move(accepted);
  has_room_ = std::move(has_room);
  wait();
}

void Listener::stop() {
  if (!descriptor_.is_open()) return;
  pause_->disarm();
  boost::system::error_code ignored;
  descriptor_.close(ignored);
  if (!unix_path_.empty()) (void)unlink(unix_path_.c_str());
}

void Listener::hold() {
  held_ = true;
  pause_->disarm();
  boost::system::error_code ignored;
  descriptor_.cancel(ignored);
}

int Listener::release() {
  hold();
  return descriptor_.is_open() ? descriptor_.release() : -1;
}

void Listener::resume() {
  pause_->disarm();
  if (held_) return;
  if (descriptor_.is_open() && !waiting_ && accepted_) wait();
}

void Listener::wait() {
  waiting_ = true;
  descriptor_.async_wait(asio::posix::descriptor_base::wait_read,
                         [weak = std::weak_ptr(self_)](const boost::system::error_code& failure) {
                           const auto self = weak.lock();
                           if (!self || failure) return;
                           (*self)->waiting_ = false;
                           (*self)->accept_waiting();
                         });
}

void Listener::accept_waiting() {
  for (int i = 0; i < kAcceptBatch; ++i) {
    if (held_ || !descriptor_.is_open()) return;
    if (!has_room_()) {
      // resume() follows when a connection of this loop ends; those of others are looked for.
      loop_.wheel().arm(*pause_, loop_.now() + kRetryPause);
      return;
    }
    const int accepted = accept_one(descriptor_.native_handle());
    if (accepted >= 0) {
      accepted_(accepted);
      continue;
    }
    const int error = -accepted;
    if (error == EAGAIN || error == EWOULDBLOCK) break;
    if (error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM) {
      log::warn("accepting paused: {}", std::generic_category().message(error));
      loop_.wheel().arm(*pause_, loop_.now() + kRetryPause);
      return;
    }
  }
  wait();
}

}  // namespace nl::http
