#include "http/certificate.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cstdio>
#include <memory>

namespace nl::http {
namespace {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};

}  // namespace

Result<WallTime> certificate_end(const std::string& path) {
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "rb"));
  if (!file) return fail(ErrorCode::config, path + " cannot be read");
  const std::unique_ptr<X509, FreeCertificate> certificate(
      PEM_read_X509(file.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  tm parts{};
  if (!certificate || ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &parts) != 1) {
    return fail(ErrorCode::config, path + " holds no certificate in PEM");
  }
  return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

}  // namespace nl::http
