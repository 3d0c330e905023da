#include "http/input.h"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace nl::http {

std::span<char> Input::room() {
  if (end_ == capacity_ && begin_ > 0) compact();
  if (capacity_ == 0) {
    storage_ = std::make_unique_for_overwrite<char[]>(kFirstBytes);
    capacity_ = kFirstBytes;
  }
  if (end_ == capacity_) {
    auto larger = std::make_unique_for_overwrite<char[]>(capacity_ * 2);
    std::memcpy(larger.get(), storage_.get(), end_);
    storage_ = std::move(larger);
    capacity_ *= 2;
  }
  return {storage_.get() + end_, capacity_ - end_};
}

void Input::put_back(std::string_view bytes) {
  assert(empty());
  begin_ = end_ = 0;
  while (!bytes.empty()) {
    const std::span<char> space = room();
    const std::size_t count = std::min(space.size(), bytes.size());
    std::memcpy(space.data(), bytes.data(), count);
    filled(count);
    bytes.remove_prefix(count);
  }
}

void Input::release() {
  if (!empty()) return;
  storage_.reset();
  capacity_ = begin_ = end_ = 0;
}

void Input::compact() {
  if (empty()) {
    begin_ = end_ = 0;
    if (capacity_ > kFirstBytes) release();
    return;
  }
  if (begin_ > 0) std::memmove(storage_.get(), storage_.get() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
}

}  // namespace nl::http
