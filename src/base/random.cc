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

void append_random(std::string& id, std::size_t length) {
  const std::size_t begin = id.size();
  id.resize(begin + length);
  std::uint64_t pool = 0;
  std::size_t left = 0;  // letters in the pool: 36^12 fits
  for (std::size_t i = begin; i < id.size(); ++i) {
    if (left == 0) pool = random_u64();
    left = (left == 0 ? 12 : left) - 1;
    id[i] = kAlphabet[pool % 36];
    pool /= 36;
  }
}

}  // namespace

std::string random_id(std::size_t length, std::string_view prefix) {
  std::string id;
  id.reserve(prefix.size() + length);
  id.append(prefix);
  append_random(id, length);
  return id;
}

std::string ordered_id(std::int64_t unix_ms, std::string_view prefix) {
  std::string id;
  id.reserve(prefix.size() + kTimeLength + kRandomLength);
  id.append(prefix).append(kTimeLength, '0');
  auto left = static_cast<std::uint64_t>(unix_ms);
  for (std::size_t i = id.size(); i-- > prefix.size(); left /= 36) id[i] = kAlphabet[left % 36];
  append_random(id, kRandomLength);
  return id;
}

}  // namespace nl
