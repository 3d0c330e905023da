#include "base/block_cache.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

namespace nl {
namespace {

void* fresh(std::size_t bytes) {
  return std::malloc(BlockCache::block_bytes(bytes));
}

TEST(BlockCache, gives_a_kept_block_to_the_next_of_its_size_last_one_first) {
  BlockCache cache;
  void* const first = fresh(100);
  void* const second = fresh(100);
  ASSERT_TRUE(cache.keep(first, 100));
  ASSERT_TRUE(cache.keep(second, 97));
  EXPECT_EQ(cache.take(120 + 1), nullptr) << "larger than what is kept";
  EXPECT_EQ(cache.take(88), nullptr) << "a size has its own list";
  EXPECT_EQ(cache.take(104), second);
  EXPECT_EQ(cache.take(89), first);
  EXPECT_EQ(cache.take(100), nullptr);
  EXPECT_EQ(cache.bytes(), 0u);
  std::free(first);
  std::free(second);
}

TEST(BlockCache, a_block_has_room_for_every_size_that_leads_to_it) {
  for (std::size_t bytes = 0; bytes <= BlockCache::kLargest + 20; ++bytes) {
    const std::size_t block = BlockCache::block_bytes(bytes);
    ASSERT_GE(block, bytes);
    ASSERT_EQ(BlockCache::block_bytes(block), block) << "its own size leads to the same list";
    ASSERT_LT(block, bytes + BlockCache::kSmallest + 1);
  }
}

TEST(BlockCache, a_block_of_an_odd_size_counts_as_the_size_below) {
  EXPECT_EQ(BlockCache::sure_bytes(23), 0u);
  EXPECT_EQ(BlockCache::sure_bytes(24), 24u);
  for (std::size_t usable = 24; usable < BlockCache::kLargest; ++usable) {
    const std::size_t sure = BlockCache::sure_bytes(usable);
    ASSERT_LE(sure, usable);
    ASSERT_GT(sure + BlockCache::kStep, usable);
    ASSERT_EQ(BlockCache::block_bytes(sure), sure) << "none of its list is larger";
  }
}

TEST(BlockCache, leaves_large_blocks_alone) {
  BlockCache cache;
  void* const largest = fresh(BlockCache::kLargest);
  void* const larger = fresh(BlockCache::kLargest + 1);
  EXPECT_TRUE(cache.keep(largest, BlockCache::kLargest));
  EXPECT_FALSE(cache.keep(larger, BlockCache::kLargest + 1));
  EXPECT_EQ(cache.take(BlockCache::kLargest + 1), nullptr);
  EXPECT_EQ(cache.take(static_cast<std::size_t>(-1)), nullptr);
  std::free(larger);
}

// What it drops here or when it dies would be a leak that the sanitizer sees.
TEST(BlockCache, holds_no_more_than_its_bound_and_gives_the_rest_back) {
  BlockCache cache;
  constexpr std::size_t kCount = 3 * BlockCache::kBytesMax / 1000;
  for (std::size_t i = 0; i < kCount; ++i) {
    ASSERT_TRUE(cache.keep(fresh(1000), 1000));
    ASSERT_LE(cache.bytes(), BlockCache::kBytesMax + BlockCache::block_bytes(1000));
  }
  EXPECT_GT(cache.bytes(), 0u);
  cache.clear();
  EXPECT_EQ(cache.bytes(), 0u);
  EXPECT_EQ(cache.take(1000), nullptr);
}

// With the operators in place (no sanitizer, glibc) the blocks go through the cache; without, this
// shows that nothing breaks.
TEST(BlockCache, memory_may_outlive_the_cache_and_change_threads) {
  std::vector<std::string> kept;
  {
    BlockCache outer;
    BlockCache inner;
    for (int i = 0; i < 500; ++i) kept.emplace_back(static_cast<std::size_t>(i * 7), 'x');
    std::thread other([&kept] {
      BlockCache cache;
      for (std::size_t i = 0; i < kept.size(); i += 2) kept[i] = std::string(40, 'y');
    });
    other.join();
  }
  for (std::size_t i = 0; i < kept.size(); ++i) {
    const std::string expected = i % 2 == 0 ? std::string(40, 'y') : std::string(i * 7, 'x');
    ASSERT_EQ(kept[i], expected);
  }
}

}  // namespace
}  // namespace nl
