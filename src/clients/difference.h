// Difference: two texts side by side, for people: the lines that differ, with - and +.
//
// What stands behind a name such as TOKEN or KEY is not shown, and no control character is. Pure.
#pragma once

#include <string>
#include <string_view>

namespace nl::clients {

// Each line of it ends with \n; one line that both have stands before and after as a landmark.
std::string difference(std::string_view before, std::string_view after);

}  // namespace nl::clients
