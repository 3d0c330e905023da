// Client: requests to upstreams over a pool of kept connections, one pool per loop.
//
// send() takes a pooled connection (checked to be alive) or dials one, writes the request and reads
// the answer's head. A pooled connection that breaks before one byte of the answer came is replaced
// once by a fresh one. A connection goes back to the pool only after a complete, framed answer;
// otherwise it is closed. Redirects are never followed. TLS is always verified. Loop thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "http/head.h"
#include "http/loop.h"

namespace nl::http {

enum class Scheme : std::uint8_t { http, https, unix_socket };

struct Endpoint {
  Scheme scheme = Scheme::https;
  std::string host;  // name or literal, without brackets; for unix_socket the path
  std::uint16_t port = 443;
  // For unix_socket: only a listener in this process group is spoken to, so that nobody can put
  // himself in an engine's place; 0 = whoever listens.
  int listener_group = 0;
  // Ready for a Host header: host, brackets where needed, port where not the default.
  std::string authority() const;
};

// A base URL taken apart. Errors: config (scheme, userinfo, query, fragment, control characters).
struct BaseUrl {
  Endpoint endpoint;
  std::string path;  // without a trailing slash: "" or "/v1"
};
Result<BaseUrl> parse_base_url(std::string_view url);

struct ClientBudgets {
  Duration dns = std::chrono::seconds(2);
  Duration connect = std::chrono::seconds(2);
  Duration second_address = std::chrono::milliseconds(250);
  Duration tls = std::chrono::seconds(3);
  Duration write_stall = std::chrono::seconds(10);
  Duration pool_idle = std::chrono::seconds(30);
  std::size_t pool_per_endpoint_max = 1024;
};

struct ClientOptions {
  ClientBudgets budgets;
  std::string extra_ca_file;  // PEM, in addition to the system's; empty = none
  // Proxy variables of the environment, already read; empty = none. Never used for loopback.
  std::string https_proxy;
  std::string no_proxy;
  // The blocking name lookup: numeric addresses, or none. Runs on other threads; empty = the
  // system's. Tests replace it.
  std::function<std::vector<std::string>(const std::string& host)> lookup;
};

// Ends whatever operation it was given to, from another coroutine or a timer of the same loop.
class Cancel {
 public:
  Cancel() = default;
  Cancel(const Cancel&) = delete;
  Cancel& operator=(const Cancel&) = delete;

  void fire();
  bool fired() const { return fired_; }

 private:
  friend class CancelScope;
  void (*action_)(void*) = nullptr;
  void* subject_ = nullptr;
  bool fired_ = false;
};

struct Outgoing {
  std::string_view method;
  std::string_view target;   // origin-form, already encoded
  std::string_view headers;  // header lines with CRLF each; Host, content-length are added
  std::string_view body;
};

// One answer being read. Destroying it early closes the connection.
class Call {
 public:
  virtual ~Call() = default;
  virtual const ResponseHead& head() const = 0;
  // The next piece of the decoded body; empty = the body is complete. The view dies at the next
  // call. Errors: timeout (call again to go on), reset, truncated (ended before its framing said),
  // protocol, cancelled.
  virtual asio::awaitable<Result<std::string_view>> read(Instant until) = 0;
  // What read() would give without waiting, or nothing: saves a coroutine where it matters.
  virtual std::optional<Result<std::string_view>> read_now() = 0;
  // True once the body is complete; may already be so after the last piece.
  virtual bool complete() const = 0;
  // True when this answer came over a connection that had been used before.
  virtual bool reused() const = 0;
};

class Client {
 public:
  Client(Loop& loop, ClientOptions options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Sends and waits for the final head (1xx are skipped) until `head_until`; the connection budgets
  // apply besides. `endpoint` and what `outgoing` views must live until then, `cancel` until the
  // Call is gone. Errors: dns, connect, tls, config, reset, timeout, protocol, cancelled.
  asio::awaitable<Result<std::unique_ptr<Call>>> send(const Endpoint& endpoint,
                                                      const Outgoing& outgoing, Cancel& cancel,
                                                      Instant head_until);
  std::size_t pooled() const;
  // Connections dialled since the start: tests and metrics see reuse by it.
  std::uint64_t dialled() const;
  // Closes every pooled connection (after sleep or a network change).
  void drop_pool();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nl::http
