// Transport: one connected byte stream over TCP, a unix socket, or TLS on either.
//
// Reads and writes suspend until some bytes moved, `until` passed (ErrorCode::timeout; the stream
// stays usable), the peer broke it (reset), or abort() was called (cancelled). One reader and one
// writer at a time. TCP_NODELAY and keepalive are on. Closes its socket when destroyed. Loop
// thread.
#pragma once

#include <array>
#include <boost/asio/deferred.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "base/error.h"
#include "http/loop.h"

namespace nl::http {

class TlsSession;  // tls.h
enum class TlsStep : std::uint8_t;

// What one write sends, in order: mostly one system call.
class Pieces {
 public:
  static constexpr std::size_t kCount = 3;

  explicit Pieces(std::string_view first, std::string_view second = {}, std::string_view third = {})
      : parts_{first, second, third} {}

  std::size_t size() const { return parts_[0].size() + parts_[1].size() + parts_[2].size(); }
  const std::array<std::string_view, kCount>& parts() const { return parts_; }
  void drop_front(std::size_t bytes);

 private:
  std::array<std::string_view, kCount> parts_;
};

enum class PeerState : std::uint8_t { open, has_bytes, gone };

class Transport {
 public:
  using Socket = asio::generic::stream_protocol::socket;

  // Takes a connected socket. start_tls() makes it a TLS stream.
  Transport(Loop& loop, Socket socket);
  ~Transport();
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  // At least one byte into `into`; 0 = the peer ended the stream cleanly.
  asio::awaitable<Result<std::size_t>> read_some(std::span<char> into, Instant until);
  // All of `first` then `second`, in one system call where the kernel takes it.
  asio::awaitable<Result<void>> write_all(std::string_view first, std::string_view second,
                                          Instant until);
  // Like write_all, for as long as every `stall` brings progress.
  asio::awaitable<Result<void>> write_steadily(Pieces pieces, Duration stall);
  // Writes what the kernel takes at once, without suspending; how many bytes that was. Must not be
  // called while another write is suspended. An error counts as 0 and shows at the next operation.
  std::size_t write_now(std::string_view bytes) { return write_now(Pieces(bytes)); }
  std::size_t write_now(Pieces pieces);
  // As write_now, but together with all that this loop sends in this turn (send_queue.h): co_await
  // it, then `pieces` holds what the kernel did not take. Costs no coroutine frame.
  auto write_together(Pieces& pieces) {
    return asio::async_initiate<const asio::deferred_t&, void()>(
        [this, &pieces](auto then) { loop_.sends().add(*this, pieces, std::move(then)); },
        asio::deferred);
  }
  // Until there is something to read, without a buffer. Errors as read_some.
  asio::awaitable<Result<void>> wait_readable(Instant until);
  // Makes a plain stream a TLS one: does the handshake on it. Errors: tls, timeout, cancelled;
  // bad_request when a client spoke plain HTTP, and can be answered so.
  asio::awaitable<Result<void>> start_tls(std::unique_ptr<TlsSession> tls, Instant until);
  // Tells the peer that nothing more will be written; reading goes on.
  void end_writing();
  // Whether the peer has closed or reset its side, found without suspending or consuming.
  PeerState peer_state();
  // Makes the read or wait_readable in progress time out now; nothing when there is none. What has
  // been read already is still delivered.
  void expire_read();
  // Ends pending operations with `cancelled` and makes all later ones fail. Safe at any time.
  void abort();
  bool usable() const;
  bool encrypted() const { return tls_ != nullptr; }
  Loop& loop() { return loop_; }
  // The descriptor, for a TlsSession or an address; -1 after abort(). Stays the Transport's.
  int native();

 private:
  class Deadline;
  // When a write gives up: at `until`, or `stall` after its last progress.
  struct WriteLimit {
    WriteLimit(Instant at, Duration pause) : until(at), stall(pause) {}
    Instant until;
    Duration stall;  // zero = `until` counts
  };
  asio::awaitable<Result<std::size_t>> read_plain(std::span<char> into, Instant until);
  asio::awaitable<Result<std::size_t>> read_tls(std::span<char> into, Instant until);
  asio::awaitable<Result<void>> write_loop(Pieces pieces, WriteLimit limit);
  // Drops from `pieces` what goes at once; what to wait for, or that it broke.
  TlsStep push(Pieces& pieces);
  TlsStep push_plain(Pieces& pieces);
  TlsStep push_tls(Pieces& pieces);
  Error broken() const;
  // After a wait: what ends the operation, or nothing = try again.
  std::optional<Error> outcome(const boost::system::error_code& waited, const Deadline& deadline);

  Loop& loop_;
  Socket socket_;
  std::unique_ptr<TlsSession> tls_;
  std::unique_ptr<Deadline> read_deadline_;
  std::unique_ptr<Deadline> write_deadline_;
  bool aborted_ = false;
};

}  // namespace nl::http
