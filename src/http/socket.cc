#include "http/socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#ifdef __linux__
#include <linux/sockios.h>
#endif

#include <array>
#include <cerrno>
#include <cstring>

namespace nl::http {
namespace {

constexpr int kUnacknowledgedMs = 60'000;
constexpr int kKeepaliveIdleSeconds = 30;
constexpr int kKeepaliveEverySeconds = 10;
constexpr int kKeepaliveProbes = 3;
constexpr std::size_t kJoinedBytesMax = 4096;

void set_option(int descriptor, int level, int option, int value) {
  // A kernel that lacks one of these still serves.
  (void)setsockopt(descriptor, level, option, &value, sizeof value);
}

template <typename Send>
Sent uninterrupted(Send send_some) {
  ssize_t sent = 0;
  do {
    sent = send_some();
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) return {0, errno};
  return {static_cast<std::size_t>(sent), 0};
}

std::string text_of(const sockaddr_storage& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof v4);
    inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
  } else if (address.ss_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &address, sizeof v6);
    inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
  } else {
    return "unix";
  }
  return text.data();
}

}  // namespace

void tune_socket(int descriptor) {
  const int family = family_of(descriptor);
  if (family != AF_INET && family != AF_INET6) return;
  set_option(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1);
#ifdef __linux__
  set_option(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, kKeepaliveIdleSeconds);
  set_option(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT, kUnacknowledgedMs);
#endif
  set_option(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, kKeepaliveEverySeconds);
  set_option(descriptor, IPPROTO_TCP, TCP_KEEPCNT, kKeepaliveProbes);
}

void ignore_broken_pipe_signal() {
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  (void)sigaction(SIGPIPE, &ignore, nullptr);
}

Sent send_pieces(int descriptor, const Pieces& pieces) {
  // For the kernel a list of pieces costs more than the copy of a small answer or event does here.
  if (pieces.size() <= kJoinedBytesMax) {
    std::array<char, kJoinedBytesMax> joined;
    char* end = joined.data();
    for (const std::string_view piece : pieces.parts()) end += piece.copy(end, piece.size());
    return uninterrupted([descriptor, &joined, end] {
      const auto bytes = static_cast<std::size_t>(end - joined.data());
      return send(descriptor, joined.data(), bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
    });
  }
  std::array<iovec, Pieces::kCount> vectors{};
  std::size_t count = 0;
  for (const std::string_view piece : pieces.parts()) {
    if (piece.empty()) continue;
    // The kernel only reads from them.
    vectors[count++] = {const_cast<char*>(piece.data()), piece.size()};
  }
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = count;
  return uninterrupted([descriptor, &message] {
    return sendmsg(descriptor, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  });
}

PeerState peek(int descriptor) {
  char byte = 0;
  const ssize_t got = recv(descriptor, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (got > 0) return PeerState::has_bytes;
  if (got == 0) return PeerState::gone;
  const bool nothing_yet = errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
  return nothing_yet ? PeerState::open : PeerState::gone;
}

std::size_t unacknowledged_bytes(int descriptor) {
  int bytes = 0;
#if defined(SIOCOUTQ)
  if (ioctl(descriptor, SIOCOUTQ, &bytes) != 0) return 0;
#elif defined(SO_NWRITE)
  socklen_t size = sizeof bytes;
  if (getsockopt(descriptor, SOL_SOCKET, SO_NWRITE, &bytes, &size) != 0) return 0;
#endif
  return bytes > 0 ? static_cast<std::size_t>(bytes) : 0;
}

int accept_one(int listener) {
#ifdef __linux__
  const int accepted = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  return accepted < 0 ? -errno : accepted;
#else
  const int accepted = accept(listener, nullptr, nullptr);
  if (accepted < 0) return -errno;
  (void)fcntl(accepted, F_SETFD, FD_CLOEXEC);
  (void)fcntl(accepted, F_SETFL, O_NONBLOCK);
  return accepted;
#endif
}

int family_of(int descriptor) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  (void)getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size);
  return address.ss_family;
}

bool peer_in_group(int descriptor, int group) {
#if defined(SO_PEERCRED)
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return true;
  return peer.pid > 0 && getpgid(peer.pid) == group;
#elif defined(LOCAL_PEERPID)
  pid_t peer = 0;
  socklen_t size = sizeof peer;
  if (getsockopt(descriptor, SOL_LOCAL, LOCAL_PEERPID, &peer, &size) != 0) return true;
  return peer > 0 && getpgid(peer) == group;
#else
  return true;
#endif
}

std::size_t descriptors_max() {
  const long most = sysconf(_SC_OPEN_MAX);
  return most > 0 ? static_cast<std::size_t>(most) : 1024;
}

int copy_descriptor(int descriptor) {
  return fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
}

void close_descriptor(int descriptor) {
  (void)close(descriptor);
}

std::string local_address_of(int descriptor) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  (void)getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size);
  return text_of(address);
}

std::string peer_address_of(int descriptor) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  (void)getpeername(descriptor, reinterpret_cast<sockaddr*>(&address), &size);
  return text_of(address);
}

}  // namespace nl::http
