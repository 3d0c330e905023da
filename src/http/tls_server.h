// TLS for incoming connections: the certificate that a listener shows, and the door it stands in.
//
// A TlsIdentity is one certificate chain with its key, read and checked whole: what cannot be used
// says which file it is and what to do. TLS 1.2 and later, ALPN http/1.1, no renegotiation, no
// client certificates. A TlsDoor holds the identity that new connections get and lets it be
// replaced while old ones go on. Both may be used by any thread.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "base/error.h"
#include "http/tls.h"

namespace nl::http {

class TlsIdentity {
 public:
  // PEM files: the chain, leaf first, and its key. Errors: config.
  static Result<std::shared_ptr<const TlsIdentity>> load(const std::string& certificate,
                                                         const std::string& key);
  ~TlsIdentity();
  TlsIdentity(const TlsIdentity&) = delete;
  TlsIdentity& operator=(const TlsIdentity&) = delete;

  // A session that accepts a handshake on `socket` (non-blocking, stays the caller's). It may
  // outlive the identity.
  Result<std::unique_ptr<TlsSession>> open(int socket) const;

 private:
  explicit TlsIdentity(ssl_ctx_st* context) : context_(context) {}

  ssl_ctx_st* context_;
};

class TlsDoor {
 public:
  explicit TlsDoor(std::shared_ptr<const TlsIdentity> identity) : identity_(std::move(identity)) {}

  std::shared_ptr<const TlsIdentity> identity() const {
    const std::lock_guard lock(mutex_);
    return identity_;
  }
  void replace(std::shared_ptr<const TlsIdentity> identity) {
    const std::lock_guard lock(mutex_);
    identity_ = std::move(identity);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const TlsIdentity> identity_;
};

}  // namespace nl::http
