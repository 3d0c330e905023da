// Character references of HTML, "&auml;" or "&#228;": the ones that letters and pages use.
//
// Pure; any thread. Unknown ones are left as they stand.
#pragma once

#include <string>
#include <string_view>

namespace nl::documents {

// `text` with its character references replaced by what they stand for.
std::string without_entities(std::string_view text);

}  // namespace nl::documents
