#include "engine/memory_speed.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <numeric>
#include <thread>
#include <vector>

namespace nl::engine {
namespace {

constexpr std::size_t kBytes = 256ULL << 20;
constexpr std::size_t kWords = kBytes / sizeof(std::uint64_t);
constexpr int kRounds = 6;
constexpr int kThreadsMost = 16;
constexpr double kLoadMost = 0.5;  // of the cores

std::uint64_t sum_of(const std::uint64_t* from, std::size_t count) {
  // Four sums: one alone would wait for itself, not for memory.
  std::uint64_t a = 0;
  std::uint64_t b = 0;
  std::uint64_t c = 0;
  std::uint64_t d = 0;
  for (std::size_t i = 0; i + 3 < count; i += 4) {
    a += from[i];
    b ^= from[i + 1];
    c += from[i + 2];
    d ^= from[i + 3];
  }
  return a + b + c + d;
}

}  // namespace

std::optional<Bandwidth> measure_memory(const Machine& machine) {
  const std::uint64_t limit = machine.memory_limit_bytes;
  if (machine.available_bytes < 8 * kBytes || (limit > 0 && limit < 8 * kBytes)) {
    return std::nullopt;
  }
  // A busy machine looks slow.
  double load = 0;
  if (::getloadavg(&load, 1) != 1 || load > kLoadMost * machine.physical_cores) {
    return std::nullopt;
  }
  std::unique_ptr<std::uint64_t[]> words(new (std::nothrow) std::uint64_t[kWords]);
  if (!words) return std::nullopt;
  std::iota(words.get(), words.get() + kWords, 1);
  const auto threads =
      static_cast<std::size_t>(std::clamp(machine.physical_cores, 1, kThreadsMost));
  std::vector<std::uint64_t> sums(threads);
  double best = 0;
  for (int round = 0; round < kRounds; ++round) {
    const auto begin = std::chrono::steady_clock::now();
    {
      std::vector<std::jthread> readers;
      for (std::size_t i = 0; i < threads; ++i) {
        readers.emplace_back([&words, &sums, i, threads] {
          const std::size_t each = kWords / threads;
          sums[i] += sum_of(words.get() + i * each, each);
        });
      }
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    best = std::max(best, static_cast<double>(kBytes) / 1e9 / std::max(took.count(), 1e-6));
  }
  // Used, so that no compiler leaves the reading out.
  if (std::accumulate(sums.begin(), sums.end(), std::uint64_t{0}) == 0) return std::nullopt;
  return Bandwidth{best, "measured"};
}

}  // namespace nl::engine
