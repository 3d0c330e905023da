#include "dialect/json_number.h"

#include <charconv>
#include <cstddef>
#include <limits>

namespace nl::dialect {
namespace {

// No exponent beyond this changes the answer of json_integer: a text is shorter than this.
constexpr std::int64_t kExponentMax = std::int64_t{1} << 40;

// A number as sign, digits before and after the point, and exponent.
struct Decimal {
  bool negative = false;
  std::string_view whole;
  std::string_view fraction;
  std::int64_t exponent = 0;
};

Decimal split(std::string_view token) {
  Decimal out;
  if (token.starts_with('-')) {
    out.negative = true;
    token.remove_prefix(1);
  }
  const std::size_t e = token.find_first_of("eE");
  if (e != std::string_view::npos) {
    std::string_view power = token.substr(e + 1);
    const bool down = power.starts_with('-');
    if (down || power.starts_with('+')) power.remove_prefix(1);
    for (const char c : power) {
      if (out.exponent < kExponentMax) out.exponent = out.exponent * 10 + (c - '0');
    }
    if (down) out.exponent = -out.exponent;
    token = token.substr(0, e);
  }
  const std::size_t point = token.find('.');
  out.whole = token.substr(0, point);
  if (point != std::string_view::npos) out.fraction = token.substr(point + 1);
  return out;
}

// `value` * 10 + `digit`, staying at or below zero, whose range is the wider one.
bool push_digit(std::int64_t& value, int digit) {
  return !__builtin_mul_overflow(value, 10, &value) &&
         !__builtin_sub_overflow(value, digit, &value);
}

}  // namespace

std::optional<std::int64_t> json_integer(std::string_view token) {
  std::int64_t plain = 0;
  const char* end = token.data() + token.size();
  const auto read = std::from_chars(token.data(), end, plain);
  if (read.ec == std::errc() && read.ptr == end) return plain;

  const Decimal number = split(token);
  // Digits that stay left of the point once the exponent has moved it.
  const auto digits = static_cast<std::int64_t>(number.whole.size() + number.fraction.size());
  const std::int64_t left = static_cast<std::int64_t>(number.whole.size()) + number.exponent;
  std::int64_t value = 0;
  for (std::int64_t i = 0; i < digits; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const char c =
        at < number.whole.size() ? number.whole[at] : number.fraction[at - number.whole.size()];
    if (i >= left) {
      if (c != '0') return std::nullopt;
    } else if (!push_digit(value, c - '0')) {
      return std::nullopt;
    }
  }
  for (std::int64_t i = digits; i < left && value != 0; ++i) {
    if (!push_digit(value, 0)) return std::nullopt;
  }
  if (number.negative) return value;
  if (value == std::numeric_limits<std::int64_t>::min()) return std::nullopt;
  return -value;
}

std::optional<double> json_double(std::string_view token) {
  double value = 0;
  const auto read = std::from_chars(token.data(), token.data() + token.size(), value);
  if (read.ec == std::errc()) return value;
  if (read.ec != std::errc::result_out_of_range) return std::nullopt;
  // Too large or too small: told apart by where the first digit that is not 0 stands.
  const Decimal number = split(token);
  const std::size_t lead = number.whole.find_first_not_of('0');
  const auto place = lead != std::string_view::npos
                         ? static_cast<std::int64_t>(number.whole.size() - lead)
                         : -static_cast<std::int64_t>(number.fraction.find_first_not_of('0'));
  if (place + number.exponent > 0) return std::nullopt;
  return number.negative ? -0.0 : 0.0;
}

}  // namespace nl::dialect
