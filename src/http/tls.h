// TLS: one session on one socket, and the verified client context of outgoing connections
// (incoming ones: tls_server.h).
//
// Versions below 1.2 are refused, the chain is verified against the system's roots and the extra
// file, the name against the certificate; there is no switch to turn any of it off. The last
// session of each endpoint is kept and resumed. Nothing here waits: a step says what it needs and
// the Transport waits for it. Loop thread; a TlsSession may outlive its TlsContext.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

// OpenSSL's types, so that its headers stay in tls.cc.
struct ssl_st;
struct ssl_ctx_st;
struct ssl_session_st;

namespace nl::http {

enum class TlsStep : std::uint8_t { done, wants_read, wants_write, closed, failed };

struct TlsMove {
  TlsStep step = TlsStep::failed;
  std::size_t bytes = 0;
};

// Sessions to resume, by endpoint.
class TlsResumption {
 public:
  TlsResumption() = default;
  ~TlsResumption();
  TlsResumption(const TlsResumption&) = delete;
  TlsResumption& operator=(const TlsResumption&) = delete;

  // Takes the reference to `session`.
  void keep(const std::string& endpoint, ssl_session_st* session);
  // Borrowed; may be null.
  ssl_session_st* find(const std::string& endpoint) const;

 private:
  std::map<std::string, ssl_session_st*> sessions_;
};

class TlsSession {
 public:
  // Accepts a handshake: the server's side.
  explicit TlsSession(ssl_st* ssl);
  // Connects. `resumption` is shared by the context and every session it made, whichever lives
  // longer.
  TlsSession(ssl_st* ssl, std::string endpoint, std::shared_ptr<TlsResumption> resumption);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  TlsStep handshake();
  TlsMove read(std::span<char> into);
  // Takes a part of `bytes`; after wants_* call again with the same bytes.
  TlsMove write(std::string_view bytes);
  // Bytes decrypted and not read yet.
  bool has_bytes() const;
  // What comes next, without taking it: done = bytes, wants_read = nothing yet.
  TlsStep peek();
  // Tells the peer that nothing more will be written.
  void end_writing();
  // Whether the peer of a failed handshake spoke plain HTTP.
  bool met_plain_http() const { return met_plain_http_; }
  bool resumed() const;
  // What failed, for people: the verification error if that was it.
  std::string failure() const;

  void keep_for_resumption(ssl_session_st* session);

 private:
  TlsStep step_of(int result);

  ssl_st* ssl_;
  std::string endpoint_;
  std::shared_ptr<TlsResumption> resumption_;
  std::string failure_;
  bool met_plain_http_ = false;
};

class TlsContext {
 public:
  // `extra_ca_file`: PEM with more roots; empty = none. Errors: config.
  static Result<std::unique_ptr<TlsContext>> create(const std::string& extra_ca_file);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  // A session on `socket` (non-blocking, stays the caller's) that will accept only `host`.
  Result<std::unique_ptr<TlsSession>> open(int socket, const std::string& host,
                                           std::string endpoint);

 private:
  explicit TlsContext(ssl_ctx_st* context);

  ssl_ctx_st* context_;
  // Shared with the sessions, which may still be open when the client is gone.
  std::shared_ptr<TlsResumption> resumption_ = std::make_shared<TlsResumption>();
};

}  // namespace nl::http
