// Saying records: to standard output, at once.
//
// What stands in a buffer is lost when a bound ends this process. One thread.
#pragma once

#include <string_view>

namespace nl::documents::foreign {

// One record of documents/record.h. False when nobody listens any more.
bool say(char key, std::string_view value);

}  // namespace nl::documents::foreign
