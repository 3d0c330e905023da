// ServerConnection: the life of one client connection, request after request.
//
// Its coroutine owns it: it waits for a head, asks the handler whether to go on, reads the body,
// lets the handler answer through a ServerExchange, and starts again or closes. ServerState is what
// all connections of one Server share; they co-own it with the Server, because their coroutines end
// after it does. Loop thread, except for `count`.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "http/body_memory.h"
#include "http/input.h"
#include "http/request_body.h"
#include "http/server.h"
#include "http/transport.h"

namespace nl::http {

class ServerConnection;
class TlsIdentity;  // tls_server.h

struct ServerState {
  ServerState(Loop& on, Handler& with, ServerLimits bounds)
      : loop(on), handler(with), limits(bounds), memory(on, limits.body_memory_max) {}

  // The value of a Date header, made once a second.
  const std::string& date();

  Loop& loop;
  Handler& handler;  // not touched once stopped
  const ServerLimits limits;
  BodyMemory memory;
  std::set<ServerConnection*> connections;
  std::atomic<std::size_t> count{0};  // connections, those on their way from another loop included
  std::size_t active = 0;             // requests being answered
  bool draining = false;
  bool handing_over = false;
  std::vector<int> handed;  // idle connections that a successor takes over
  bool stopped = false;
  std::function<void()> on_room;  // a connection ended
  std::string date_text;
  std::int64_t date_second = 0;
};

enum class AfterRequest : std::uint8_t { keep, close, linger };

class ServerConnection {
 public:
  // Takes over an accepted socket that state->count already counts. With an `identity` the client
  // must begin with a TLS handshake.
  ServerConnection(std::shared_ptr<ServerState> state, Transport::Socket socket,
                   std::shared_ptr<const TlsIdentity> identity);
  ~ServerConnection();
  ServerConnection(const ServerConnection&) = delete;
  ServerConnection& operator=(const ServerConnection&) = delete;

  // Serves until the connection ends. `self` lives as long as the coroutine.
  static asio::awaitable<void> run(std::unique_ptr<ServerConnection> self);

  // Closes it now, or as soon as the request in hand is answered.
  void abort() { transport_.abort(); }
  void drain();
  // Leaves the socket to a successor now if it is idle, else as soon as the request in hand is
  // answered.
  void hand_over();

  ServerState& state() { return *state_; }
  Transport& transport() { return transport_; }
  const std::string& local_address() const { return local_address_; }
  const std::string& peer_address() const { return peer_address_; }

 private:
  // False when nothing can be said on this connection.
  asio::awaitable<bool> begin_tls();
  // Fills `input_` until a head is whole; its length, or 0 when the client has gone quietly.
  asio::awaitable<Result<std::size_t>> read_head();
  // Each answers the request of `head`, which lives until then.
  asio::awaitable<AfterRequest> answer(const RequestHead& head);
  asio::awaitable<AfterRequest> serve(const RequestHead& head);
  asio::awaitable<AfterRequest> turn_away(const RequestHead& head, Answer refusal);
  asio::awaitable<AfterRequest> refuse(Error error, std::string_view target);
  asio::awaitable<AfterRequest> send_and_close(Answer answer, std::string_view method);
  // Reads and drops what still comes, for a moment, so that the client can read our answer.
  asio::awaitable<void> linger();

  std::shared_ptr<ServerState> state_;
  Transport transport_;
  std::shared_ptr<const TlsIdentity> identity_;  // until the handshake
  Input input_;
  std::string local_address_;
  std::string peer_address_;
  std::uint64_t requests_ = 0;
  bool idle_ = true;  // between requests
};

}  // namespace nl::http
