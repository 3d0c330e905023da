#include "http/connection.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>

#include "http/exchange.h"
#include "http/socket.h"
#include "http/tls_server.h"

namespace nl::http {
namespace {

constexpr auto kKeepBufferFor = std::chrono::seconds(2);
constexpr auto kLinger = std::chrono::seconds(2);
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
// What a client that speaks plain HTTP where TLS is due gets to read.
constexpr std::string_view kSpeakTls =
    "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\ncontent-length: 48\r\n"
    "connection: close\r\n\r\nThis address speaks TLS: write https://, please\n";

// The path of a request line that could be read although its head was refused; else empty.
std::string_view path_of(std::string_view bytes) {
  const std::string_view line = bytes.substr(0, bytes.find('\r'));
  const std::size_t begin = line.find(" /");
  if (begin == std::string_view::npos) return {};
  const std::string_view rest = line.substr(begin + 1);
  const std::string_view path = rest.substr(0, rest.find_first_of(" ?#"));
  for (const char c : path) {
    if (c <= ' ' || static_cast<unsigned char>(c) >= 0x7f) return {};
  }
  return path;
}

class Counted {
 public:
  explicit Counted(std::size_t& count) : count_(count) { ++count_; }
  ~Counted() { --count_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  std::size_t& count_;
};

}  // namespace

const std::string& ServerState::date() {
  const std::time_t now = std::chrono::system_clock::to_time_t(loop.clock().wall());
  if (date_text.empty() || now != date_second) {
    date_second = now;
    date_text = fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(now));
  }
  return date_text;
}

ServerConnection::ServerConnection(std::shared_ptr<ServerState> state, Transport::Socket socket,
                                   std::shared_ptr<const TlsIdentity> identity)
    : state_(std::move(state)),
      transport_(state_->loop, std::move(socket)),
      identity_(std::move(identity)) {
  local_address_ = local_address_of(transport_.native());
  peer_address_ = peer_address_of(transport_.native());
  state_->connections.insert(this);
}

ServerConnection::~ServerConnection() {
  state_->connections.erase(this);
  state_->count.fetch_sub(1, std::memory_order_relaxed);
  if (state_->on_room) state_->on_room();
}

void ServerConnection::drain() {
  if (idle_) transport_.abort();
}

void ServerConnection::hand_over() {
  if (idle_) transport_.expire_read();
}

asio::awaitable<void> ServerConnection::run(std::unique_ptr<ServerConnection> self) {
  if (self->identity_ && !co_await self->begin_tls()) co_return;
  ServerState& state = *self->state_;
  AfterRequest then = AfterRequest::keep;
  while (then == AfterRequest::keep && self->transport_.usable()) {
    const auto length = co_await self->read_head();
    if (state.stopped || (length && *length == 0)) co_return;
    if (!length) {
      const std::string target(path_of(self->input_.bytes()));
      then = co_await self->refuse(length.error(), target);
      break;
    }
    auto head = parse_request_head(self->input_.bytes().substr(0, *length));
    if (!head) {
      const std::string target(path_of(self->input_.bytes()));
      then = co_await self->refuse(head.error(), target);
      break;
    }
    self->input_.drop(*length);
    const Counted active(state.active);
    then = co_await self->answer(*head);
    if (state.draining && then == AfterRequest::keep) then = AfterRequest::close;
  }
  // Closing over unread bytes would reset the connection and could take our answer with it.
  const bool unread = then == AfterRequest::close && self->transport_.usable() &&
                      self->transport_.peer_state() == PeerState::has_bytes;
  if (then == AfterRequest::linger || unread) {
    co_await self->linger();
  } else {
    self->transport_.end_writing();  // TLS has a goodbye of its own
  }
}

asio::awaitable<bool> ServerConnection::begin_tls() {
  auto session = identity_->open(transport_.native());
  identity_.reset();
  if (!session) co_return false;
  const Instant until = state_->loop.now() + state_->limits.head;
  const Result<void> done = co_await transport_.start_tls(std::move(*session), until);
  if (done) co_return true;
  if (done.error().code == ErrorCode::bad_request) {
    (void)co_await transport_.write_all(kSpeakTls, std::string_view(), until);
    co_await linger();
  }
  co_return false;
}

asio::awaitable<Result<std::size_t>> ServerConnection::read_head() {
  input_.compact();
  // One empty line before a request is an old habit of some clients.
  bool may_skip_line = true;
  idle_ = input_.empty();
  const Loop& loop = state_->loop;
  // A new connection gets the time of a head, a kept one that of a pause.
  const Instant now = loop.now();
  Instant until = now + (requests_ == 0 || !idle_ ? state_->limits.head : state_->limits.idle);
  const Instant pause_until = until;
  if (idle_ && requests_ > 0) until = std::min(until, now + kKeepBufferFor);
  while (true) {
    if (idle_ && state_->handing_over) {
      // Whatever the client sends now waits in the socket. A TLS session cannot change hands: it
      // ends, as idle connections may.
      const int kept = transport_.encrypted() ? -1 : copy_descriptor(transport_.native());
      if (kept >= 0) state_->handed.push_back(kept);
      co_return std::size_t{0};
    }
    if (may_skip_line && input_.bytes().starts_with("\r\n")) {
      input_.drop(2);
      may_skip_line = false;
    }
    if (!input_.empty() && !(input_.bytes() == "\r" && may_skip_line)) {
      const auto end = find_head_end(input_.bytes(), kHeadBytesMax);
      if (!end) co_return std::unexpected(end.error());
      if (*end > 0) {
        idle_ = false;
        ++requests_;
        co_return *end;
      }
    }
    const auto got = co_await transport_.read_some(input_.room(), until);
    if (got && *got > 0) {
      input_.filled(*got);
      if (idle_) until = loop.now() + state_->limits.head;
      idle_ = false;
      continue;
    }
    const bool timed_out = !got && got.error().code == ErrorCode::timeout;
    if (timed_out && idle_ && state_->handing_over) continue;
    if (timed_out && idle_ && until < pause_until) {
      // A connection that rests keeps no buffer.
      input_.release();
      const auto ready = co_await transport_.wait_readable(pause_until);
      if (!ready && !state_->handing_over) co_return std::size_t{0};
      until = pause_until;
      continue;
    }
    if (timed_out && !idle_) co_return fail(ErrorCode::timeout, "head came too slowly", 408);
    co_return std::size_t{0};
  }
}

asio::awaitable<AfterRequest> ServerConnection::answer(const RequestHead& head) {
  auto refusal = state_->handler.admit(head, local_address_);
  return refusal ? turn_away(head, std::move(*refusal)) : serve(head);
}

asio::awaitable<AfterRequest> ServerConnection::turn_away(const RequestHead& head, Answer refusal) {
  const bool whole = head.framing == Framing::none ||
                     (head.framing == Framing::length && head.content_length == 0);
  if (!whole) co_return co_await send_and_close(std::move(refusal), head.method);
  ServerExchange exchange(*this, head, std::string_view());
  const auto sent = co_await exchange.respond(refusal);
  co_return sent&& exchange.keep_alive() ? AfterRequest::keep : AfterRequest::close;
}

asio::awaitable<AfterRequest> ServerConnection::serve(const RequestHead& head) {
  RequestBody body(head, state_->limits, state_->memory);
  auto whole = body.take_from(input_);
  if (!whole) co_return co_await refuse(std::move(whole.error()), head.path);
  if (!*whole) {
    if (head.expects_continue) {
      const auto sent =
          co_await transport_.write_steadily(Pieces(kContinue), state_->limits.write_stall);
      if (!sent) co_return AfterRequest::close;
    }
    const auto read = co_await body.read(transport_);
    if (!read && read.error().status == 0) co_return AfterRequest::close;
    if (state_->stopped) co_return AfterRequest::close;
    if (!read) co_return co_await refuse(read.error(), head.path);
  }
  ServerExchange exchange(*this, head, body.bytes());
  co_await state_->handler.handle(exchange);
  if (!exchange.complete() || !transport_.usable()) {
    transport_.abort();
    co_return AfterRequest::close;
  }
  if (!body.behind().empty()) {
    input_.compact();
    input_.put_back(body.behind());
  }
  co_return exchange.keep_alive() ? AfterRequest::keep : AfterRequest::close;
}

asio::awaitable<AfterRequest> ServerConnection::refuse(Error error, std::string_view target) {
  Answer answer = state_->handler.refuse(error, target);
  co_return co_await send_and_close(std::move(answer), std::string_view());
}

asio::awaitable<AfterRequest> ServerConnection::send_and_close(Answer answer,
                                                               std::string_view method) {
  AnswerHead head = head_of(answer);
  head.keep_alive = false;
  const std::string text = compose_answer_head(head, *state_);
  if (method == "HEAD") answer.body.clear();
  const auto sent =
      co_await transport_.write_steadily(Pieces(text, answer.body), state_->limits.write_stall);
  co_return sent ? AfterRequest::linger : AfterRequest::close;
}

asio::awaitable<void> ServerConnection::linger() {
  idle_ = true;
  transport_.end_writing();
  const Instant until = state_->loop.now() + kLinger;
  std::array<char, 4096> dropped;
  while (true) {
    const auto got = co_await transport_.read_some(dropped, until);
    if (!got || *got == 0) co_return;
  }
}

}  // namespace nl::http
