#include "http/transport.h"

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/deferred.hpp>
#include <cassert>
#include <cerrno>
#include <cstring>

#include "http/socket.h"
#include "http/tls.h"

namespace nl::http {
namespace {

// Completes with a tuple and costs no coroutine frame of its own.
constexpr auto kTuple = asio::as_tuple(asio::deferred);
constexpr std::size_t kTlsRecordBytes = 16 * 1024;

}  // namespace

// Ends the pending operations of a socket; the one whose deadline did not pass tries again.
class Transport::Deadline final : public Timer {
 public:
  Deadline(Wheel& wheel, Socket& socket) : wheel_(wheel), socket_(socket) {}

  void start(Instant until) {
    passed_ = false;
    wheel_.arm(*this, until);
  }
  bool passed() const { return passed_; }
  void pass() {
    disarm();
    on_deadline();
  }

 private:
  void on_deadline() override {
    passed_ = true;
    boost::system::error_code ignored;
    socket_.cancel(ignored);
  }

  Wheel& wheel_;
  Socket& socket_;
  bool passed_ = false;
};

namespace {

// Disarms on every way out of an operation.
class Disarm {
 public:
  explicit Disarm(Timer& timer) : timer_(timer) {}
  ~Disarm() { timer_.disarm(); }
  Disarm(const Disarm&) = delete;
  Disarm& operator=(const Disarm&) = delete;

 private:
  Timer& timer_;
};

}  // namespace

void Pieces::drop_front(std::size_t bytes) {
  for (std::string_view& part : parts_) {
    const std::size_t here = std::min(bytes, part.size());
    part.remove_prefix(here);
    bytes -= here;
  }
}

Transport::Transport(Loop& loop, Socket socket)
    : loop_(loop),
      socket_(std::move(socket)),
      read_deadline_(std::make_unique<Deadline>(loop.wheel(), socket_)),
      write_deadline_(std::make_unique<Deadline>(loop.wheel(), socket_)) {
  boost::system::error_code ignored;
  socket_.native_non_blocking(true, ignored);
  tune_socket(socket_.native_handle());
}

Transport::~Transport() = default;

bool Transport::usable() const {
  return !aborted_;
}

int Transport::native() {
  return aborted_ ? -1 : socket_.native_handle();
}

void Transport::abort() {
  if (aborted_) return;
  aborted_ = true;
  boost::system::error_code ignored;
  socket_.close(ignored);
}

void Transport::expire_read() {
  if (usable()) read_deadline_->pass();
}

void Transport::end_writing() {
  boost::system::error_code ignored;
  if (!usable()) return;
  if (tls_) tls_->end_writing();
  socket_.shutdown(Socket::shutdown_send, ignored);
}

PeerState Transport::peer_state() {
  if (!usable()) return PeerState::gone;
  if (tls_ && tls_->has_bytes()) return PeerState::has_bytes;
  const PeerState seen = peek(socket_.native_handle());
  if (!tls_ || seen != PeerState::has_bytes) return seen;
  // What lies there may be a goodbye, or a record with nothing for the reader in it.
  switch (tls_->peek()) {
    case TlsStep::done:
      return PeerState::has_bytes;
    case TlsStep::wants_read:
    case TlsStep::wants_write:
      return PeerState::open;
    case TlsStep::closed:
    case TlsStep::failed:
      return PeerState::gone;
  }
  return PeerState::gone;
}

std::optional<Error> Transport::outcome(const boost::system::error_code& waited,
                                        const Deadline& deadline) {
  if (aborted_) return Error(ErrorCode::cancelled, "connection was given up");
  if (!waited) return std::nullopt;
  if (waited != asio::error::operation_aborted) return Error(ErrorCode::reset, waited.message());
  if (deadline.passed()) return Error(ErrorCode::timeout, "no progress in time");
  return std::nullopt;  // the other direction's deadline cancelled us too
}

Error Transport::broken() const {
  if (aborted_) return Error(ErrorCode::cancelled, "connection was given up");
  return Error(ErrorCode::reset, tls_ ? tls_->failure() : "connection broke");
}

asio::awaitable<Result<std::size_t>> Transport::read_some(std::span<char> into, Instant until) {
  assert(!into.empty());
  return tls_ ? read_tls(into, until) : read_plain(into, until);
}

asio::awaitable<Result<std::size_t>> Transport::read_plain(std::span<char> into, Instant until) {
  if (aborted_) co_return std::unexpected(broken());
  const Disarm disarm(*read_deadline_);
  read_deadline_->start(until);
  while (true) {
    const auto [failure, bytes] =
        co_await socket_.async_read_some(asio::buffer(into.data(), into.size()), kTuple);
    if (!failure && !aborted_) co_return bytes;
    if (failure == asio::error::eof && !aborted_) co_return std::size_t{0};
    if (auto ended = outcome(failure, *read_deadline_)) co_return std::unexpected(*ended);
  }
}

asio::awaitable<Result<std::size_t>> Transport::read_tls(std::span<char> into, Instant until) {
  if (aborted_) co_return std::unexpected(broken());
  const Disarm disarm(*read_deadline_);
  read_deadline_->start(until);
  while (true) {
    const TlsMove move = tls_->read(into);
    if (move.step == TlsStep::done) co_return move.bytes;
    if (move.step == TlsStep::closed) co_return std::size_t{0};
    if (move.step == TlsStep::failed) co_return std::unexpected(broken());
    const auto awaited = move.step == TlsStep::wants_read ? Socket::wait_read : Socket::wait_write;
    const auto [failure] = co_await socket_.async_wait(awaited, kTuple);
    if (auto ended = outcome(failure, *read_deadline_)) co_return std::unexpected(*ended);
  }
}

asio::awaitable<Result<void>> Transport::wait_readable(Instant until) {
  if (aborted_) co_return std::unexpected(broken());
  if (tls_ && tls_->has_bytes()) co_return Result<void>();
  const Disarm disarm(*read_deadline_);
  read_deadline_->start(until);
  while (true) {
    const auto [failure] = co_await socket_.async_wait(Socket::wait_read, kTuple);
    if (!failure && !aborted_) co_return Result<void>();
    if (auto ended = outcome(failure, *read_deadline_)) co_return std::unexpected(*ended);
  }
}

asio::awaitable<Result<void>> Transport::write_all(std::string_view first, std::string_view second,
                                                   Instant until) {
  return write_loop(Pieces(first, second), WriteLimit(until, Duration::zero()));
}

asio::awaitable<Result<void>> Transport::write_steadily(Pieces pieces, Duration stall) {
  return write_loop(pieces, WriteLimit(Instant::max(), stall));
}

asio::awaitable<Result<void>> Transport::write_loop(Pieces pieces, WriteLimit limit) {
  if (aborted_) co_return std::unexpected(broken());
  const Disarm disarm(*write_deadline_);
  bool armed = false;
  while (true) {
    const std::size_t before = pieces.size();
    const TlsStep step = push(pieces);
    if (step == TlsStep::done) co_return Result<void>();
    if (step == TlsStep::failed || step == TlsStep::closed) co_return std::unexpected(broken());
    const bool steady = limit.stall > Duration::zero();
    if (!armed || (steady && pieces.size() < before)) {
      armed = true;
      write_deadline_->start(steady ? loop_.now() + limit.stall : limit.until);
    }
    const std::size_t queued = steady ? unacknowledged_bytes(native()) : 0;
    const auto awaited = step == TlsStep::wants_read ? Socket::wait_read : Socket::wait_write;
    const auto [failure] = co_await socket_.async_wait(awaited, kTuple);
    if (auto ended = outcome(failure, *write_deadline_)) {
      // The kernel tells of room only when a good part of its buffer is free, megabytes perhaps: a
      // slow peer makes progress long before.
      const bool progress =
          steady && ended->code == ErrorCode::timeout && unacknowledged_bytes(native()) < queued;
      if (!progress) co_return std::unexpected(*ended);
      armed = false;
    }
  }
}

TlsStep Transport::push(Pieces& pieces) {
  return tls_ ? push_tls(pieces) : push_plain(pieces);
}

TlsStep Transport::push_plain(Pieces& pieces) {
  while (pieces.size() > 0) {
    const Sent sent = send_pieces(native(), pieces);
    if (sent.error == EAGAIN || sent.error == EWOULDBLOCK) return TlsStep::wants_write;
    if (sent.error != 0) return TlsStep::failed;
    pieces.drop_front(sent.bytes);
  }
  return TlsStep::done;
}

TlsStep Transport::push_tls(Pieces& pieces) {
  // All pieces become one record. A retry assembles the same bytes again, as OpenSSL asks for.
  std::array<char, kTlsRecordBytes> record;
  while (pieces.size() > 0) {
    std::size_t filled = 0;
    for (const std::string_view part : pieces.parts()) {
      const std::size_t here = std::min(part.size(), record.size() - filled);
      if (here > 0) std::memcpy(record.data() + filled, part.data(), here);
      filled += here;
    }
    const TlsMove move = tls_->write(std::string_view(record.data(), filled));
    if (move.step != TlsStep::done) return move.step;
    pieces.drop_front(move.bytes);
  }
  return TlsStep::done;
}

std::size_t Transport::write_now(Pieces pieces) {
  if (!usable()) return 0;
  const std::size_t before = pieces.size();
  (void)push(pieces);
  return before - pieces.size();
}

asio::awaitable<Result<void>> Transport::start_tls(std::unique_ptr<TlsSession> tls, Instant until) {
  if (aborted_) co_return std::unexpected(broken());
  const Disarm disarm(*read_deadline_);
  read_deadline_->start(until);
  while (true) {
    const TlsStep step = tls->handshake();
    if (step == TlsStep::done) break;
    if (step == TlsStep::failed || step == TlsStep::closed) {
      const ErrorCode code = tls->met_plain_http() ? ErrorCode::bad_request : ErrorCode::tls;
      co_return fail(code, "TLS handshake failed: " + tls->failure());
    }
    const auto awaited = step == TlsStep::wants_read ? Socket::wait_read : Socket::wait_write;
    const auto [failure] = co_await socket_.async_wait(awaited, kTuple);
    if (auto ended = outcome(failure, *read_deadline_)) co_return std::unexpected(*ended);
  }
  tls_ = std::move(tls);
  co_return Result<void>();
}

}  // namespace nl::http
