#include "base/secret.h"

#include <unistd.h>

#include <cstring>

#include "base/random.h"

namespace nl {

bool Secret::equals(std::string_view other) const {
  if (value_.size() != other.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < other.size(); ++i) {
    difference |= static_cast<unsigned char>(value_[i]) ^ static_cast<unsigned char>(other[i]);
  }
  return difference == 0;
}

std::uint64_t Secret::fingerprint() const {
  // FNV-1a keyed by a per-process salt, so that the mark says nothing outside this process.
  static const std::uint64_t salt = random_u64();
  std::uint64_t hash = 14695981039346656037ULL ^ salt;
  for (unsigned char byte : value_) hash = (hash ^ byte) * 1099511628211ULL;
  return hash;
}

void Secret::wipe() {
  if (!value_.empty()) explicit_bzero(value_.data(), value_.size());
  value_.clear();
}

}  // namespace nl
