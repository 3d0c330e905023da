// Secret: a credential that cannot be printed, logged or compared by accident.
//
// No stream operator and no formatter exist; `reveal` is called in two places only: where a request
// head is written and where a client's token is checked. The bytes are wiped when it dies. Equality
// takes the same time for every content of one length.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace nl {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string_view value) : value_(value) {}
  Secret(const Secret&) = default;
  Secret& operator=(const Secret& other) {
    if (this != &other) {
      wipe();
      value_ = other.value_;
    }
    return *this;
  }
  Secret(Secret&& other) noexcept : value_(std::move(other.value_)) { other.wipe(); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      wipe();
      value_ = std::move(other.value_);
      other.wipe();
    }
    return *this;
  }
  ~Secret() { wipe(); }

  bool empty() const { return value_.empty(); }
  // The bytes themselves. Valid while this lives and is not assigned to.
  std::string_view reveal() const { return value_; }
  // True when both hold the same bytes; constant time for equal lengths.
  bool equals(std::string_view other) const;
  // A short one-way mark to tell two keys apart in breaker keys and `status`; not reversible.
  std::uint64_t fingerprint() const;

 private:
  void wipe();
  std::string value_;
};

}  // namespace nl
