#include "base/block_cache.h"

#include <cstdlib>
#include <new>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define NL_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define NL_SANITIZED 1
#endif
#endif

#if defined(__GLIBC__) && !defined(NL_SANITIZED)
#define NL_OWN_OPERATORS 1
#include <malloc.h>
#endif

namespace nl {
namespace {

// The operators have no other way to their thread's cache than this.
thread_local BlockCache* of_this_thread = nullptr;

}  // namespace

BlockCache::BlockCache() : before_(of_this_thread) {
  of_this_thread = this;
}

BlockCache::~BlockCache() {
  of_this_thread = before_;
  clear();
}

void BlockCache::clear() noexcept {
  for (Free*& list : lists_) {
    while (list != nullptr) {
      Free* const block = list;
      list = reinterpret_cast<Free*>(masked(block, block->next));
      std::free(block);
    }
  }
  bytes_ = 0;
}

#ifdef NL_OWN_OPERATORS
namespace {

void* allocate(std::size_t bytes) {
  for (;;) {
    if (void* const block = std::malloc(BlockCache::block_bytes(bytes))) return block;
    const std::new_handler handler = std::get_new_handler();
    if (handler == nullptr) throw std::bad_alloc();
    handler();
  }
}

}  // namespace
#endif

}  // namespace nl

#ifdef NL_OWN_OPERATORS

// All other forms of new and delete but the over-aligned ones, which are malloc's alone, come here.
void* operator new(std::size_t bytes) {
  if (nl::BlockCache* const cache = nl::of_this_thread) {
    if (void* const block = cache->take(bytes)) return block;
  }
  return nl::allocate(bytes);
}

void operator delete(void* block, std::size_t bytes) noexcept {
  nl::BlockCache* const cache = nl::of_this_thread;
  if (cache != nullptr && block != nullptr && cache->keep(block, bytes)) return;
  std::free(block);
}

void operator delete(void* block) noexcept {
  nl::BlockCache* const cache = nl::of_this_thread;
  // Another malloc in glibc's place may give other sizes than ours: what a block surely holds.
  if (cache != nullptr && block != nullptr) {
    const std::size_t sure = nl::BlockCache::sure_bytes(::malloc_usable_size(block));
    if (sure > 0 && cache->keep(block, sure)) return;
  }
  std::free(block);
}

#endif
