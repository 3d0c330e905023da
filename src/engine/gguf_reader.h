// GgufReader: the little-endian numbers, strings and arrays of a GGUF header, one after the other.
//
// Every read is held against the file's size first, so a length from the file never becomes an
// allocation or a position by itself. Reads ahead in pieces of 64 KiB. The first failure sticks in
// the returned Result only: callers stop there. One thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

namespace nl::engine {

// Where the bytes come from: a file or memory.
class GgufBytes {
 public:
  virtual ~GgufBytes() = default;
  virtual std::uint64_t size() const = 0;
  // Up to `into.size()` bytes from `offset`; fewer only at the end. Errors: io.
  virtual Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) = 0;
};

// The types of values, by their number in the file.
enum class GgufType : std::uint32_t {
  u8,
  i8,
  u16,
  i16,
  u32,
  i32,
  f32,
  boolean,
  string,
  array,
  u64,
  i64,
  f64,
};
inline constexpr std::uint32_t kGgufTypes = 13;
// Bytes of a value of fixed size; 0 for strings and arrays.
std::uint64_t bytes_of(GgufType type);
// A whole number that may have been negative in the file.
bool is_whole(GgufType type);

class GgufReader {
 public:
  explicit GgufReader(GgufBytes& bytes) : bytes_(bytes) {}

  std::uint64_t position() const { return position_; }
  std::uint64_t file_bytes() const { return bytes_.size(); }
  // Bytes of the file behind the position.
  std::uint64_t left() const { return bytes_.size() - position_; }

  Result<std::uint32_t> u32();
  Result<std::uint64_t> u64();
  Result<GgufType> type();
  // A whole number of `type`; negative ones stay negative, u64 beyond int64 is refused.
  Result<std::int64_t> whole(GgufType type);
  // A string of at most `bytes_max`. `what` names it in errors.
  Result<std::string> string(std::uint64_t bytes_max, std::string_view what);
  // Passes over one string without keeping it.
  Result<void> skip_string(std::string_view what);
  Result<void> skip(std::uint64_t bytes, std::string_view what);

 private:
  Result<void> take(std::span<char> into, std::string_view what);
  Result<std::uint64_t> length(std::string_view what);
  std::unexpected<Error> cut_off(std::string_view what, std::uint64_t wanted) const;

  GgufBytes& bytes_;
  std::uint64_t position_ = 0;
  std::string ahead_;             // what has been read from the file
  std::uint64_t ahead_from_ = 0;  // and where that begins
};

}  // namespace nl::engine
