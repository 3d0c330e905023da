#include "http/digest.h"

#include <openssl/evp.h>

#include <array>

namespace nl::http {

Sha256::Sha256()
    : context_(EVP_MD_CTX_new()),
      sound_(context_ != nullptr && EVP_DigestInit_ex(context_, EVP_sha256(), nullptr) == 1) {}

Sha256::~Sha256() {
  EVP_MD_CTX_free(context_);
}

void Sha256::update(std::string_view bytes) {
  sound_ = sound_ && EVP_DigestUpdate(context_, bytes.data(), bytes.size()) == 1;
}

std::string Sha256::hex() {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  sound_ = sound_ && EVP_DigestFinal_ex(context_, digest.data(), &size) == 1;
  if (!sound_) return "";
  std::string text;
  for (unsigned int i = 0; i < size; ++i) {
    text += kDigits[digest[i] >> 4];
    text += kDigits[digest[i] & 0xf];
  }
  return text;
}

std::string sha256_hex(std::string_view bytes) {
  Sha256 digest;
  digest.update(bytes);
  return digest.hex();
}

}  // namespace nl::http
