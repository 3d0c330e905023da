#include "engine/gguf_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <limits>

#include "engine/gguf.h"

namespace nl::engine {
namespace {

constexpr std::size_t kAheadBytes = 64 << 10;

template <typename T>
T little_endian(const char* bytes) {
  T value = 0;
  for (std::size_t i = sizeof(T); i > 0; --i) {
    value = static_cast<T>(value << 8U) | static_cast<unsigned char>(bytes[i - 1]);
  }
  return value;
}

}  // namespace

std::uint64_t bytes_of(GgufType type) {
  switch (type) {
    case GgufType::u8:
    case GgufType::i8:
    case GgufType::boolean:
      return 1;
    case GgufType::u16:
    case GgufType::i16:
      return 2;
    case GgufType::u32:
    case GgufType::i32:
    case GgufType::f32:
      return 4;
    case GgufType::u64:
    case GgufType::i64:
    case GgufType::f64:
      return 8;
    case GgufType::string:
    case GgufType::array:
      return 0;
  }
  return 0;
}

bool is_whole(GgufType type) {
  return bytes_of(type) > 0 && type != GgufType::f32 && type != GgufType::f64;
}

std::unexpected<Error> GgufReader::cut_off(std::string_view what, std::uint64_t wanted) const {
  return fail(
      ErrorCode::config,
      fmt::format("is cut off or damaged: {} at byte {} needs {} more bytes, the file has {}", what,
                  position_, wanted, left()));
}

Result<void> GgufReader::take(std::span<char> into, std::string_view what) {
  if (into.size() > left()) return cut_off(what, into.size());
  std::size_t done = 0;
  while (done < into.size()) {
    const bool at_hand = position_ >= ahead_from_ && position_ < ahead_from_ + ahead_.size();
    if (!at_hand) {
      if (position_ >= kHeaderBytesMax) {
        return fail(ErrorCode::config,
                    fmt::format("has a header of more than {} MiB", kHeaderBytesMax >> 20U));
      }
      ahead_.resize(kAheadBytes);
      const auto got = bytes_.read_at(position_, ahead_);
      if (!got) return std::unexpected(got.error());
      if (*got == 0) return cut_off(what, into.size() - done);
      ahead_.resize(*got);
      ahead_from_ = position_;
    }
    const std::size_t from = static_cast<std::size_t>(position_ - ahead_from_);
    const std::size_t count = std::min(into.size() - done, ahead_.size() - from);
    std::memcpy(into.data() + done, ahead_.data() + from, count);
    done += count;
    position_ += count;
  }
  return {};
}

Result<std::uint32_t> GgufReader::u32() {
  std::array<char, 4> bytes{};
  const auto done = take(bytes, "a number");
  if (!done) return std::unexpected(done.error());
  return little_endian<std::uint32_t>(bytes.data());
}

Result<std::uint64_t> GgufReader::u64() {
  std::array<char, 8> bytes{};
  const auto done = take(bytes, "a number");
  if (!done) return std::unexpected(done.error());
  return little_endian<std::uint64_t>(bytes.data());
}

Result<GgufType> GgufReader::type() {
  const auto number = u32();
  if (!number) return std::unexpected(number.error());
  if (*number >= kGgufTypes) {
    return fail(ErrorCode::config, fmt::format("has a value of the unknown type {}", *number));
  }
  return static_cast<GgufType>(*number);
}

Result<std::int64_t> GgufReader::whole(GgufType type) {
  assert(is_whole(type));
  std::array<char, 8> bytes{};
  const std::size_t size = static_cast<std::size_t>(bytes_of(type));
  const auto done = take(std::span(bytes).first(size), "a number");
  if (!done) return std::unexpected(done.error());
  const std::uint64_t raw = little_endian<std::uint64_t>(bytes.data());
  const bool is_signed = type == GgufType::i8 || type == GgufType::i16 || type == GgufType::i32;
  if (is_signed) {
    const std::uint64_t sign = 1ULL << (size * 8 - 1);
    return static_cast<std::int64_t>((raw ^ sign) - sign);
  }
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (type == GgufType::u64 && raw > kMost) {
    return fail(ErrorCode::config, fmt::format("has an impossible number, {}", raw));
  }
  return static_cast<std::int64_t>(raw);
}

Result<std::uint64_t> GgufReader::length(std::string_view what) {
  const auto length = u64();
  if (!length) return length;
  if (*length > left()) return cut_off(what, *length);
  return length;
}

Result<std::string> GgufReader::string(std::uint64_t bytes_max, std::string_view what) {
  const auto size = length(what);
  if (!size) return std::unexpected(size.error());
  if (*size > bytes_max) {
    return fail(ErrorCode::config,
                fmt::format("has {} of {} bytes, {} are allowed", what, *size, bytes_max));
  }
  std::string text(static_cast<std::size_t>(*size), '\0');
  const auto done = take(text, what);
  if (!done) return std::unexpected(done.error());
  return text;
}

Result<void> GgufReader::skip_string(std::string_view what) {
  const auto size = length(what);
  if (!size) return std::unexpected(size.error());
  return skip(*size, what);
}

Result<void> GgufReader::skip(std::uint64_t bytes, std::string_view what) {
  if (bytes > left()) return cut_off(what, bytes);
  position_ += bytes;
  return {};
}

}  // namespace nl::engine
