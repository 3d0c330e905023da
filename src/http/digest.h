// Sha256: the digest of bytes that arrive in pieces, as 64 lower-case hex digits.
//
// Lives here because this module owns the cryptographic library. Nothing secret goes through it.
// One thread per object.
#pragma once

#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace nl::http {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void update(std::string_view bytes);
  // Ends the digest; call once. Empty when the library cannot compute it.
  std::string hex();

 private:
  evp_md_ctx_st* context_;
  bool sound_;
};

// The digest of `bytes` at once.
std::string sha256_hex(std::string_view bytes);

}  // namespace nl::http
