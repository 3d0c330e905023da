#include "http/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace nl::http {
namespace {

constexpr std::size_t kSessionsMax = 64;
constexpr std::array<unsigned char, 9> kAlpn = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

std::string reason_of(unsigned long code) {
  ERR_clear_error();
  if (code == 0) return "unknown TLS error";
  const char* const reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "TLS error";
}

// Called by OpenSSL whenever the peer handed out a session; 1 = we keep the reference.
int on_new_session(SSL* ssl, SSL_SESSION* session) {
  auto* const owner = static_cast<TlsSession*>(SSL_get_app_data(ssl));
  if (owner == nullptr) return 0;
  owner->keep_for_resumption(session);
  return 1;
}

bool is_address(const std::string& host) {
  std::array<unsigned char, 16> buffer{};
  return inet_pton(AF_INET, host.c_str(), buffer.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), buffer.data()) == 1;
}

bool expect_host(SSL* ssl, const std::string& host) {
  if (is_address(host)) {
    return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str()) == 1;
  }
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return SSL_set1_host(ssl, host.c_str()) == 1 && SSL_set_tlsext_host_name(ssl, host.c_str()) == 1;
}

}  // namespace

TlsResumption::~TlsResumption() {
  for (auto& [endpoint, session] : sessions_) SSL_SESSION_free(session);
}

void TlsResumption::keep(const std::string& endpoint, ssl_session_st* session) {
  if (sessions_.size() >= kSessionsMax && !sessions_.contains(endpoint)) {
    SSL_SESSION_free(session);
    return;
  }
  ssl_session_st*& slot = sessions_[endpoint];
  if (slot != nullptr) SSL_SESSION_free(slot);
  slot = session;
}

ssl_session_st* TlsResumption::find(const std::string& endpoint) const {
  const auto found = sessions_.find(endpoint);
  return found == sessions_.end() ? nullptr : found->second;
}

TlsSession::TlsSession(ssl_st* ssl) : ssl_(ssl) {
  SSL_set_accept_state(ssl_);
}

TlsSession::TlsSession(ssl_st* ssl, std::string endpoint, std::shared_ptr<TlsResumption> resumption)
    : ssl_(ssl), endpoint_(std::move(endpoint)), resumption_(std::move(resumption)) {
  SSL_set_app_data(ssl_, this);
  SSL_set_connect_state(ssl_);
  if (ssl_session_st* const session = resumption_->find(endpoint_)) SSL_set_session(ssl_, session);
}

TlsSession::~TlsSession() {
  SSL_set_app_data(ssl_, nullptr);
  // No close_notify: the connection is closed with nothing left to say, and a session that was not
  // shut down must still be resumable.
  SSL_set_quiet_shutdown(ssl_, 1);
  SSL_shutdown(ssl_);
  SSL_free(ssl_);
  ERR_clear_error();
}

void TlsSession::keep_for_resumption(ssl_session_st* session) {
  resumption_->keep(endpoint_, session);
}

TlsStep TlsSession::step_of(int result) {
  const int system_error = errno;
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_NONE:
      return TlsStep::done;
    case SSL_ERROR_WANT_READ:
      return TlsStep::wants_read;
    case SSL_ERROR_WANT_WRITE:
      return TlsStep::wants_write;
    case SSL_ERROR_ZERO_RETURN:
      return TlsStep::closed;
    case SSL_ERROR_SYSCALL:
      failure_ = std::generic_category().message(system_error == 0 ? ECONNRESET : system_error);
      ERR_clear_error();
      return TlsStep::failed;
    default:
      break;
  }
  const long verified = SSL_get_verify_result(ssl_);
  const unsigned long code = ERR_get_error();
  met_plain_http_ = ERR_GET_REASON(code) == SSL_R_HTTP_REQUEST;
  failure_ = reason_of(code);
  if (verified != X509_V_OK) failure_ = X509_verify_cert_error_string(verified);
  return TlsStep::failed;
}

TlsStep TlsSession::handshake() {
  ERR_clear_error();
  return step_of(SSL_do_handshake(ssl_));
}

TlsMove TlsSession::read(std::span<char> into) {
  ERR_clear_error();
  std::size_t bytes = 0;
  const int result = SSL_read_ex(ssl_, into.data(), into.size(), &bytes);
  return {result == 1 ? TlsStep::done : step_of(result), bytes};
}

TlsMove TlsSession::write(std::string_view bytes) {
  ERR_clear_error();
  std::size_t taken = 0;
  const int result = SSL_write_ex(ssl_, bytes.data(), bytes.size(), &taken);
  return {result == 1 ? TlsStep::done : step_of(result), taken};
}

TlsStep TlsSession::peek() {
  ERR_clear_error();
  char byte = 0;
  std::size_t bytes = 0;
  const int result = SSL_peek_ex(ssl_, &byte, 1, &bytes);
  return result == 1 ? TlsStep::done : step_of(result);
}

void TlsSession::end_writing() {
  SSL_shutdown(ssl_);
  ERR_clear_error();
}

bool TlsSession::has_bytes() const {
  return SSL_has_pending(ssl_) == 1;
}
bool TlsSession::resumed() const {
  return SSL_session_reused(ssl_) == 1;
}
std::string TlsSession::failure() const {
  return failure_;
}

TlsContext::TlsContext(ssl_ctx_st* context) : context_(context) {}

TlsContext::~TlsContext() {
  SSL_CTX_free(context_);
}

Result<std::unique_ptr<TlsContext>> TlsContext::create(const std::string& extra_ca_file) {
  SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
  if (context == nullptr)
    return fail(ErrorCode::internal, "cannot start TLS: " + reason_of(ERR_get_error()));
  std::unique_ptr<TlsContext> made(new TlsContext(context));
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
  SSL_CTX_sess_set_new_cb(context, on_new_session);
  if (SSL_CTX_set_alpn_protos(context, kAlpn.data(), kAlpn.size()) != 0) {
    return fail(ErrorCode::internal, "cannot set ALPN");
  }
  // Missing system roots show at the first handshake: a gateway with local targets needs none.
  SSL_CTX_set_default_verify_paths(context);
  ERR_clear_error();
  if (!extra_ca_file.empty() && SSL_CTX_load_verify_file(context, extra_ca_file.c_str()) != 1) {
    return fail(ErrorCode::config, "cannot read the CA file " + extra_ca_file);
  }
  return made;
}

Result<std::unique_ptr<TlsSession>> TlsContext::open(int socket, const std::string& host,
                                                     std::string endpoint) {
  SSL* const ssl = SSL_new(context_);
  if (ssl == nullptr) return fail(ErrorCode::tls, "cannot start a TLS session");
  auto session = std::make_unique<TlsSession>(ssl, std::move(endpoint), resumption_);
  if (SSL_set_fd(ssl, socket) != 1 || !expect_host(ssl, host)) {
    return fail(ErrorCode::tls, "cannot prepare TLS for " + host);
  }
  return session;
}

}  // namespace nl::http
