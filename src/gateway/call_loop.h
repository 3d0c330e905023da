// A call that a conversation shows to lead nowhere: made again and again with the same result.
//
// Small models repeat themselves; the gateway does not let the next repetition through. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "chat/request.h"

namespace nl::gateway {

struct RepeatedCall {
  std::string name;
  std::string arguments;  // as an object
};

// The last kCallsAlike calls, when they are one call with one result; nothing else in between.
inline constexpr std::size_t kCallsAlike = 3;
std::optional<RepeatedCall> repeated_call(const chat::Request& request);

// Whether two argument objects say the same, whatever the order of their members.
bool same_arguments(std::string_view left, std::string_view right);

}  // namespace nl::gateway
