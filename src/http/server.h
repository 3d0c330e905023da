// Server: the listener and the life of a client connection, up to a whole request.
//
// For each request: read the head under its deadline, ask Handler::admit (before a byte of body is
// read), read the body under its limits and memory budget, then Handler::handle answers through the
// Exchange. Anything doubtful in framing is answered once and the connection closed. Loop thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "http/head.h"
#include "http/loop.h"

namespace nl::http {

struct ServerLimits {
  std::size_t body_bytes_max = 64u << 20;
  std::size_t body_memory_max = 256u << 20;  // all bodies together; then reading pauses
  Duration head = std::chrono::seconds(10);
  Duration body_grace = std::chrono::seconds(10);  // then at least 1 KB/s
  Duration body_memory_wait = std::chrono::seconds(10);
  Duration idle = std::chrono::seconds(300);  // between requests
  Duration write_stall = std::chrono::seconds(60);
  // Also at most half of the descriptors that the process may have when the Server is made.
  std::size_t connections_max = 4096;
};

// An address to listen on: "127.0.0.1:2300", "[::1]:2300", "unix:PATH".
struct ListenAddress {
  std::string host;
  std::uint16_t port = 0;
  std::string unix_path;
};
Result<ListenAddress> parse_listen_address(std::string_view text);

// A refusal or any other complete answer.
struct Answer {
  int status = 200;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers;
  std::string header_lines;  // before those: ready lines with CRLF each
  std::string body;
};

// One request being answered. Lives while Handler::handle runs. Not copyable.
class Exchange {
 public:
  virtual ~Exchange() = default;

  virtual const RequestHead& head() const = 0;
  // The whole decoded body. Valid while the Exchange lives.
  virtual std::string_view body() const = 0;
  // The numeric address the connection arrived on ("127.0.0.1"), and the client's.
  virtual std::string_view local_address() const = 0;
  virtual std::string_view peer_address() const = 0;
  virtual Loop& loop() = 0;

  // A complete answer. HEAD gets the head alone.
  virtual asio::awaitable<Result<void>> respond(const Answer& answer) = 0;
  // Begins a chunked answer (HTTP/1.0 clients: until close); `headers` is header lines with CRLF
  // each. Nothing is sent before the first bytes: `first` goes out with the head in one write.
  virtual asio::awaitable<Result<void>> begin_stream(std::string_view content_type,
                                                     std::string_view headers,
                                                     std::string_view first) = 0;
  // One piece, sent at once.
  virtual asio::awaitable<Result<void>> write(std::string_view bytes) = 0;
  // The same without suspending, from a timer: what the kernel does not take now goes before the
  // next write(). False (nothing kept) while a write() is suspended or 64 KiB are waiting.
  virtual bool begin_stream_now(std::string_view content_type, std::string_view headers,
                                std::string_view first) = 0;
  virtual bool write_now(std::string_view bytes) = 0;
  // Ends a stream properly.
  virtual asio::awaitable<Result<void>> finish() = 0;
  // Ends it improperly: the connection is closed without the last chunk.
  virtual void abort() = 0;

  virtual bool head_sent() const = 0;
  // Whether the client has closed its connection; one system call, never suspends.
  virtual bool client_gone() = 0;
  // Tells that this connection must close after the answer.
  virtual void close_after() = 0;
};

class Handler {
 public:
  virtual ~Handler() = default;
  // Decides on the head alone, before the body is read: nothing = go on.
  virtual std::optional<Answer> admit(const RequestHead& head, std::string_view local_address) = 0;
  // Answers. Must call respond() or finish a stream; if it does neither the connection is aborted.
  virtual asio::awaitable<void> handle(Exchange& exchange) = 0;
  // The answer to a request that never became one. `target` is the request's path if it was read.
  virtual Answer refuse(const Error& error, std::string_view target) = 0;
};

// What a server leaves to its successor. The descriptors belong to whoever holds this.
struct Handed {
  std::vector<int> listeners;    // in order of the listen() calls; -1 = that one was closed
  std::vector<int> connections;  // idle
};

class Listener;      // listener.h
class TlsDoor;       // tls_server.h
struct ServerState;  // connection.h

class Server {
 public:
  Server(Loop& loop, Handler& handler, ServerLimits limits);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Binds and starts accepting. Errors: io with "address in use" and the like. Port 0 picks one.
  // With a `door` clients must speak TLS there.
  Result<void> listen(const ListenAddress& address, std::shared_ptr<const TlsDoor> door = nullptr);
  // The same with a descriptor that an earlier server has bound to `address`.
  void adopt_listener(const ListenAddress& address, int descriptor,
                      std::shared_ptr<const TlsDoor> door = nullptr);
  // Goes on with a connection that another server has left idle.
  void adopt_connection(int descriptor) { place(descriptor, nullptr); }
  // The ports really bound, in order of listen() calls.
  std::vector<std::uint16_t> ports() const;
  // Deals the connections accepted here to this server and `others` (on other loops), each to the
  // one with the fewest. Before listen(); the others must live until this one has stopped.
  void share(std::vector<Server*> others);
  // Stops accepting; idle connections close, busy ones after their answer (connection: close).
  void drain();
  // Accepts no more, but keeps the addresses: new connections wait. Idle connections are kept for a
  // successor, busy ones after their answer. Done once connections() is 0; drain() takes it back.
  void hand_over();
  // What has been kept.
  Handed take_handed();
  // Closes everything now.
  void stop();
  // Connections open, requests being answered.
  std::size_t connections() const;
  std::size_t active() const;

 private:
  void begin(std::unique_ptr<Listener> listener, std::shared_ptr<const TlsDoor> door);
  void close_handed();
  // Hands an accepted descriptor to the server with the fewest connections.
  void place(int descriptor, const TlsDoor* door);
  bool has_room() const;

  // Shared with the connections' coroutines, which end after the server does.
  std::shared_ptr<ServerState> state_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<std::shared_ptr<const TlsDoor>> doors_;
  std::vector<Server*> others_;
};

}  // namespace nl::http
