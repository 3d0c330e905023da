// BlockCache: the free blocks of one busy thread, kept for its next allocations of their size.
//
// A loop that serves many requests at once allocates the same few dozen blocks for each, all of
// them for a batch of requests before it frees any: more than the C library keeps at hand, so that
// its slow path was a seventh of a request's instructions. While a BlockCache lives, operator new
// and delete of the thread that made it go through its lists, one for each size up to 4 KB; what it
// does not take goes on to malloc and free, whose blocks they all are. It holds 1 MiB at most and
// gives everything back when that is full, or when it dies. Without glibc, and in sanitizer builds,
// which must see every block, the operators are the library's. One thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace nl {

class BlockCache {
 public:
  static constexpr std::size_t kBytesMax = std::size_t{1} << 20;
  // Blocks hold 24, 40, 56, ... bytes: what glibc gives, so that none is partly wasted.
  static constexpr std::size_t kSmallest = 24;
  static constexpr std::size_t kStep = 16;
  static constexpr std::size_t kSizes = 256;
  static constexpr std::size_t kLargest = kSmallest + (kSizes - 1) * kStep;

  // Becomes the one that the operators of this thread use, until it dies.
  BlockCache();
  ~BlockCache();
  BlockCache(const BlockCache&) = delete;
  BlockCache& operator=(const BlockCache&) = delete;

  // The size of the block that serves `bytes`; larger ones are not kept and need no rounding.
  static constexpr std::size_t block_bytes(std::size_t bytes) {
    return bytes > kLargest ? bytes : kSmallest + place_of(bytes) * kStep;
  }
  // The largest block size that fits into `usable` bytes; 0 = none does.
  static constexpr std::size_t sure_bytes(std::size_t usable) {
    return usable < kSmallest ? 0 : usable - (usable - kSmallest) % kStep;
  }
  // A kept block of block_bytes(bytes), or null.
  void* take(std::size_t bytes) noexcept;
  // False when it is too large for the lists. `block`: from malloc(), of block_bytes(bytes).
  bool keep(void* block, std::size_t bytes) noexcept;
  // Gives all blocks back.
  void clear() noexcept;
  std::size_t bytes() const { return bytes_; }

 private:
  struct Free {
    std::uintptr_t next;
  };

  static constexpr std::size_t place_of(std::size_t bytes) {
    return (std::max(bytes, kSmallest) - kSmallest + kStep - 1) / kStep;
  }
  // As glibc does: a pointer that was written over leads nowhere useful.
  static std::uintptr_t masked(const Free* where, std::uintptr_t link) {
    return reinterpret_cast<std::uintptr_t>(where) >> 12 ^ link;
  }

  std::array<Free*, kSizes> lists_{};
  std::size_t bytes_ = 0;
  BlockCache* before_;  // of this thread
};

inline void* BlockCache::take(std::size_t bytes) noexcept {
  const std::size_t place = place_of(bytes);
  if (place >= kSizes) return nullptr;
  Free* const block = lists_[place];
  if (block == nullptr) return nullptr;
  lists_[place] = reinterpret_cast<Free*>(masked(block, block->next));
  bytes_ -= kSmallest + place * kStep;
  return block;
}

inline bool BlockCache::keep(void* block, std::size_t bytes) noexcept {
  const std::size_t place = place_of(bytes);
  if (place >= kSizes) return false;
  if (bytes_ >= kBytesMax) clear();
  Free* const kept = static_cast<Free*>(block);
  kept->next = masked(kept, reinterpret_cast<std::uintptr_t>(lists_[place]));
  lists_[place] = kept;
  bytes_ += kSmallest + place * kStep;
  return true;
}

}  // namespace nl
