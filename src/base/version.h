// The version of this program, stated once. CHANGELOG.md and the package files agree with it.
#pragma once

#include <string_view>

namespace nl {

inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace nl
