// Certificates of this module's tests: an authority made on the spot and what it signs.
//
// Keys are P-256, everything lives in memory but the authority's PEM file. Test code only; a
// failure of OpenSSL shows as a handshake that fails.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <memory>
#include <string>

namespace nl::http {

struct FreeOpenSsl {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeOpenSsl>;
using Certificate = std::unique_ptr<X509, FreeOpenSsl>;
using ServerContext = std::unique_ptr<SSL_CTX, FreeOpenSsl>;
using ServerSsl = std::unique_ptr<SSL, FreeOpenSsl>;

struct Wanted {
  std::string name;                // "DNS:api.test" or "IP:127.0.0.1"
  long valid_from_seconds = -600;  // relative to now
  long valid_to_seconds = 86400;
};

class TestAuthority {
 public:
  TestAuthority() : key_(EVP_EC_gen("P-256")), certificate_(make("CN", nullptr, key_.get())) {}

  // A context of a server that presents a certificate of ours for `wanted`.
  ServerContext server(const Wanted& wanted) const {
    const Key key(EVP_EC_gen("P-256"));
    const Certificate certificate = make("server", &wanted, key.get());
    ServerContext context(SSL_CTX_new(TLS_server_method()));
    SSL_CTX_use_certificate(context.get(), certificate.get());
    SSL_CTX_use_PrivateKey(context.get(), key.get());
    constexpr unsigned char session_scope[] = "test";
    SSL_CTX_set_session_id_context(context.get(), session_scope, sizeof session_scope);
    return context;
  }

  void write_pem(const std::string& path) const {
    std::FILE* const file = std::fopen(path.c_str(), "w");
    if (file == nullptr) return;
    PEM_write_X509(file, certificate_.get());
    std::fclose(file);
  }

 private:
  static void add(X509* certificate, int kind, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, nullptr, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* const extension =
        X509V3_EXT_conf_nid(nullptr, &context, kind, const_cast<char*>(value.c_str()));
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }

  // The authority's own certificate when `wanted` is null.
  Certificate make(const std::string& common_name, const Wanted* wanted, EVP_PKEY* key) const {
    Certificate made(X509_new());
    X509* const certificate = made.get();
    X509_set_version(certificate, 2);
    static long serial = 1;
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate), wanted ? wanted->valid_from_seconds : -600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), wanted ? wanted->valid_to_seconds : 86400);
    X509_set_pubkey(certificate, key);
    X509_NAME* const subject = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1,
                               0);
    const bool own = wanted == nullptr;
    X509_set_issuer_name(certificate, own ? subject : X509_get_subject_name(certificate_.get()));
    add(certificate, NID_basic_constraints, own ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (!own) add(certificate, NID_subject_alt_name, wanted->name);
    X509_sign(certificate, own ? key : key_.get(), EVP_sha256());
    return made;
  }

  Key key_;
  Certificate certificate_;
};

}  // namespace nl::http
