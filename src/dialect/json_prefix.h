// close_json: what was said so far by a JSON text that did not end.
//
// For an answer that was cut at its limit. Keeps all that is whole, a string in the middle up to
// its last whole character, and closes what is open. Checks no more than it needs: the result is
// for a Document to judge. Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace nl::dialect {

// Nothing when no value in `prefix` was begun that could be closed.
std::optional<std::string> close_json(std::string_view prefix);

}  // namespace nl::dialect
