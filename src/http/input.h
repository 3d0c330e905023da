// Input: the bytes of a client connection that nobody has taken yet.
//
// Grows while a head needs it, up to the largest head; gives its memory back when it is empty and
// the connection idle. Views into it die when it grows or is compacted. Loop thread.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace nl::http {

class Input {
 public:
  static constexpr std::size_t kFirstBytes = 1024;

  std::string_view bytes() const { return {storage_.get() + begin_, end_ - begin_}; }
  std::span<char> writable_bytes() { return {storage_.get() + begin_, end_ - begin_}; }
  bool empty() const { return begin_ == end_; }
  void drop(std::size_t count) { begin_ += count; }

  // Free space behind the bytes, at least one byte; moves or grows them where there is none.
  std::span<char> room();
  void filled(std::size_t count) { end_ += count; }
  // Puts `bytes` in front; only while empty.
  void put_back(std::string_view bytes);
  // Frees the memory if nothing is held.
  void release();
  // Moves what is held to the front of the memory, and shrinks that if it grew.
  void compact();

 private:
  std::unique_ptr<char[]> storage_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace nl::http
