// RawStream and RawPeer: blocking ends of a loopback connection that say exactly what a test wants.
//
// A RawPeer accepts on a port of its own choosing and runs its script once per connection, on one
// thread, until it is destroyed. Reads give up after ten seconds. Test code only.
#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace nl::http {

class RawStream {
 public:
  explicit RawStream(int descriptor) : descriptor_(descriptor) {
    const timeval limit{10, 0};
    (void)setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    (void)setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    const int on = 1;  // what a test sends in parts goes out in parts
    (void)setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  RawStream(RawStream&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  ~RawStream() { close(); }

  static RawStream connect(std::uint16_t port) {
    boost::asio::io_context io;
    boost::asio::ip::tcp::socket socket(io);
    socket.connect({boost::asio::ip::address_v4::loopback(), port});
    return RawStream(socket.release());
  }

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  // All bytes up to and with `mark`, or up to the end of the stream.
  std::string read_until(std::string_view mark) {
    while (pending_.find(mark) == std::string::npos) {
      if (!fill()) return std::exchange(pending_, {});
    }
    const std::size_t end = pending_.find(mark) + mark.size();
    std::string text = pending_.substr(0, end);
    pending_.erase(0, end);
    return text;
  }
  std::string read_to_end() {
    while (fill()) {
    }
    return std::exchange(pending_, {});
  }
  // A head, and the body its content-length announces.
  std::string read_message() {
    std::string text = read_until("\r\n\r\n");
    const std::size_t at = text.find("content-length: ");
    if (at == std::string::npos) return text;
    std::size_t left = std::stoul(text.substr(at + 16));
    while (pending_.size() < left && fill()) {
    }
    left = std::min(left, pending_.size());
    text += pending_.substr(0, left);
    pending_.erase(0, left);
    return text;
  }
  bool at_end() { return pending_.empty() && !fill(); }
  void end_writing() { ::shutdown(descriptor_, SHUT_WR); }
  // Ends the stream with a reset instead of an end.
  void reset() {
    const linger now{1, 0};
    (void)setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
  }
  void close() {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  }
  int native() const { return descriptor_; }

 private:
  bool fill() {
    std::array<char, 4096> bytes;
    const ssize_t got = ::recv(descriptor_, bytes.data(), bytes.size(), 0);
    if (got <= 0) return false;
    pending_.append(bytes.data(), static_cast<std::size_t>(got));
    return true;
  }

  int descriptor_;
  std::string pending_;
};

class RawPeer {
 public:
  using Script = std::function<void(RawStream& stream, int connection)>;

  explicit RawPeer(Script script)
      : acceptor_(io_, {boost::asio::ip::address_v4::loopback(), 0}),
        port_(acceptor_.local_endpoint().port()),
        script_(std::move(script)),
        thread_([this] { serve(); }) {}
  ~RawPeer() {
    stopping_ = true;
    thread_.join();
  }
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;

  std::uint16_t port() const { return port_; }
  int connections() const { return connections_; }

 private:
  void serve() {
    while (!stopping_) {
      pollfd waiting{acceptor_.native_handle(), POLLIN, 0};
      if (::poll(&waiting, 1, 10) != 1) continue;
      const int accepted = ::accept(acceptor_.native_handle(), nullptr, nullptr);
      if (accepted < 0) continue;
      RawStream stream(accepted);
      script_(stream, ++connections_);
    }
  }

  boost::asio::io_context io_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::uint16_t port_;
  Script script_;
  std::atomic<int> connections_{0};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace nl::http
