#include "base/random.h"

#include <random>

namespace nl {

std::uint64_t random_u64() {
  thread_local std::mt19937_64 generator = [] {
    std::random_device device;
    std::seed_seq seed{device(), device(), device(), device()};
    return std::mt19937_64(seed);
  }();
  return generator();
}

namespace {

// In the order of their bytes, so that what is written with it sorts as its number does.
constexpr char kAlphabet[] = "0123456789abcdefghijklmnopqrstuvwxyz";
constexpr std::size_t kTimeLength = 9;  // enough until the year 5188
constexpr std::size_t kRandomLength = 11;

}  // namespace

std::string random_id(std::size_t length) {
  std::string id(length, '0');
  std::uint64_t pool = 0;
  for (std::size_t i = 0; i < length; ++i) {
    if (i % 12 == 0) pool = random_u64();  // 36^12 fits
    id[i] = kAlphabet[pool % 36];
    pool /= 36;
  }
  return id;
}

std::string ordered_id(std::int64_t unix_ms) {
  std::string id(kTimeLength, '0');
  auto left = static_cast<std::uint64_t>(unix_ms);
  for (std::size_t i = kTimeLength; i-- > 0; left /= 36) id[i] = kAlphabet[left % 36];
  return id += random_id(kRandomLength);
}

}  // namespace nl
