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

std::string random_id(std::size_t length) {
  constexpr char kAlphabet[] = "abcdefghijklmnopqrstuvwxyz0123456789";
  std::string id(length, 'a');
  for (char& c : id) c = kAlphabet[random_u64() % 36];
  return id;
}

}  // namespace nl
