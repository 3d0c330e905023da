#include "http/tls_server.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <string_view>
#include <system_error>

namespace nl::http {
namespace {

constexpr std::array<unsigned char, 9> kAlpn = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
constexpr unsigned char kSessionScope[] = "nightlight";

std::unexpected<Error> unusable(const std::string& file, const std::string& what) {
  ERR_clear_error();
  return fail(ErrorCode::config, file + " " + what);
}

Result<void> check_readable(const std::string& file) {
  std::FILE* const opened = std::fopen(file.c_str(), "rb");
  if (opened == nullptr) {
    return unusable(file, "cannot be read: " + std::generic_category().message(errno));
  }
  std::fclose(opened);
  return {};
}

// A key with a passphrase is refused instead of asking on a terminal that nobody sits at.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

// Clients that offer protocols must offer ours.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size,
                    const unsigned char* offered, unsigned int offered_size, void*) {
  unsigned char* found = nullptr;
  const int result =
      SSL_select_next_proto(&found, size, kAlpn.data(), kAlpn.size(), offered, offered_size);
  if (result != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

std::string text_of(const ASN1_TIME* time) {
  tm parts{};
  std::array<char, 32> text{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return "an unknown time";
  (void)std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M UTC", &parts);
  return text.data();
}

Result<void> check_dates(const SSL_CTX* context, const std::string& file) {
  const X509* const leaf = SSL_CTX_get0_certificate(context);
  if (X509_cmp_current_time(X509_get0_notAfter(leaf)) < 0) {
    return unusable(file, "has expired on " + text_of(X509_get0_notAfter(leaf)) + "; renew it");
  }
  if (X509_cmp_current_time(X509_get0_notBefore(leaf)) > 0) {
    return unusable(file, "is valid only from " + text_of(X509_get0_notBefore(leaf)) +
                              " on; look at this machine's clock");
  }
  return {};
}

Result<void> use_files(SSL_CTX* context, const std::string& certificate, const std::string& key) {
  if (auto readable = check_readable(certificate); !readable) return readable;
  if (auto readable = check_readable(key); !readable) return readable;
  if (SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1) {
    return unusable(certificate, "holds no certificate chain in PEM, its own certificate first");
  }
  if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1) {
    // OpenSSL compares the key with the certificate when it takes it.
    if (ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH ||
        ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_TYPE_MISMATCH) {
      return unusable(key, "does not belong to the certificate in " + certificate);
    }
    return unusable(key, "holds no private key in PEM without a passphrase");
  }
  if (SSL_CTX_check_private_key(context) != 1) {
    return unusable(key, "does not belong to the certificate in " + certificate);
  }
  return check_dates(context, certificate);
}

}  // namespace

TlsIdentity::~TlsIdentity() {
  SSL_CTX_free(context_);
}

Result<std::shared_ptr<const TlsIdentity>> TlsIdentity::load(const std::string& certificate,
                                                             const std::string& key) {
  ERR_clear_error();
  SSL_CTX* const context = SSL_CTX_new(TLS_server_method());
  if (context == nullptr) return fail(ErrorCode::internal, "cannot start TLS");
  const std::shared_ptr<const TlsIdentity> made(new TlsIdentity(context));
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(
      context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);  // tickets only
  SSL_CTX_set_session_id_context(context, kSessionScope, sizeof kSessionScope - 1);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  SSL_CTX_set_default_passwd_cb(context, no_passphrase);
  if (const auto used = use_files(context, certificate, key); !used) {
    return std::unexpected(used.error());
  }
  return made;
}

Result<std::unique_ptr<TlsSession>> TlsIdentity::open(int socket) const {
  SSL* const ssl = SSL_new(context_);
  if (ssl == nullptr) return fail(ErrorCode::tls, "cannot start a TLS session");
  auto session = std::make_unique<TlsSession>(ssl);
  if (SSL_set_fd(ssl, socket) != 1) return fail(ErrorCode::tls, "cannot prepare TLS");
  return session;
}

}  // namespace nl::http
