// The version of this program, stated once.
//
// CHANGELOG.md and CMakeLists.txt agree with it. A constant; any thread.
#pragma once

#include <string_view>

namespace nl {

inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace nl
