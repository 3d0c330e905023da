// HealthKeys: under which names Health keeps what it knows of a target.
//
// The names of the three entries that an attempt depends on (provider, key, model), outermost
// first: each begins the next. Made once per attempt without an allocation. Values; any thread.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

#include "router/planner.h"

namespace nl::router {

// A unit separator cannot occur in a configured name, so keys of different scopes never meet.
class HealthKeys {
 public:
  HealthKeys(const ProviderFacts& provider, const Target& target, std::uint64_t mark) {
    const std::array<char, sizeof mark> bytes = std::bit_cast<std::array<char, sizeof mark>>(mark);
    provider_end_ = provider.name.size() + 1;
    key_end_ = provider_end_ + bytes.size() + 1;
    const std::size_t size = key_end_ + target.model.size();
    if (size > short_.size()) long_.resize(size);
    char* at = size > short_.size() ? long_.data() : short_.data();
    text_ = std::string_view(at, size);
    at = std::copy(provider.name.begin(), provider.name.end(), at);
    *at++ = '\x1f';
    at = std::copy(bytes.begin(), bytes.end(), at);
    *at++ = '\x1f';
    std::copy(target.model.begin(), target.model.end(), at);
  }
  HealthKeys(const HealthKeys&) = delete;
  HealthKeys& operator=(const HealthKeys&) = delete;

  std::string_view provider() const { return text_.substr(0, provider_end_); }
  std::string_view key() const { return text_.substr(0, key_end_); }
  std::string_view model() const { return text_; }
  std::array<std::string_view, 3> all() const { return {provider(), key(), model()}; }

 private:
  std::array<char, 96> short_;  // nearly every name fits
  std::string long_;
  std::string_view text_;  // in one of the two
  std::size_t provider_end_ = 0;
  std::size_t key_end_ = 0;
};

}  // namespace nl::router
