#include "standby/token_counts.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace nl::standby {
namespace {

enum class Shape : std::uint8_t { letter, digit, blank, sign, wide };

Shape shape_of(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (byte >= 0x80) return Shape::wide;
  if ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z') return Shape::letter;
  if (byte >= '0' && byte <= '9') return Shape::digit;
  return byte == ' ' ? Shape::blank : Shape::sign;
}

// Tokens of a run of `length` bytes of one shape.
std::int64_t tokens_of_run(Shape shape, std::size_t length) {
  const auto bytes = static_cast<std::int64_t>(length);
  switch (shape) {
    case Shape::letter:
      return (bytes + 4) / 5;
    case Shape::digit:
      return bytes;
    case Shape::blank:
      return bytes > 1 ? 1 : 0;  // a single one belongs to the word behind it
    case Shape::sign:
      return (bytes + 1) / 2;
    case Shape::wide:
      return (bytes + 1) / 2;
  }
  return bytes;
}

}  // namespace

std::int64_t estimated_tokens(std::string_view escaped) {
  std::int64_t tokens = 0;
  std::size_t at = 0;
  while (at < escaped.size()) {
    const Shape shape = shape_of(escaped[at]);
    std::size_t end = at + 1;
    while (end < escaped.size() && shape_of(escaped[end]) == shape) ++end;
    tokens += tokens_of_run(shape, end - at);
    at = end;
  }
  return tokens;
}

std::uint64_t text_key(std::string_view escaped) {
  return std::hash<std::string_view>()(escaped);
}

TokenCounts::Count TokenCounts::of(std::string_view escaped) const {
  if (!known_.empty()) {
    const auto found = known_.find(text_key(escaped));
    if (found != known_.end()) return {found->second, true};
  }
  const auto estimate = static_cast<double>(estimated_tokens(escaped)) * factor_;
  return {static_cast<std::int64_t>(std::ceil(estimate)), escaped.empty()};
}

void TokenCounts::learn(std::uint64_t key, std::int64_t tokens) {
  // A full table is begun anew: what is in use is asked for again.
  if (known_.size() >= kKept) known_.clear();
  known_[key] = std::max<std::int64_t>(tokens, 0);
}

void TokenCounts::correct(std::int64_t stated, std::int64_t counted) {
  if (stated < kShort || counted <= stated) return;
  const double more = static_cast<double>(counted) / static_cast<double>(stated);
  if (more < kIgnored || more > kBelieved) return;
  factor_ = std::min(factor_ * more * 1.02, kFactorMax);
}

}  // namespace nl::standby
