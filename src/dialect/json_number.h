// Numbers of RFC 8259 read from their raw token.
//
// Behind Value::integer() and number(). The token must be one the walk has validated; anything else
// gives a wrong number, never a read beyond the token. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace nl::dialect {

// The exact value when it is whole and fits: 12, -0, 1e3, 5.0, 120e-1; nothing for 1.5 or 1e300.
std::optional<std::int64_t> json_integer(std::string_view token);

// The nearest double; nothing when it is too large for one. What is too small becomes zero.
std::optional<double> json_double(std::string_view token);

}  // namespace nl::dialect
