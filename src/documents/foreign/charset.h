// Charsets that a mail names, as UTF-8: right, wrong, unknown or missing ones.
//
// Runs in the reading program only: iconv loads tables of the system by name. One thread.
#pragma once

#include <string>
#include <string_view>

#include "documents/text_encoding.h"

namespace nl::documents::foreign {

// `bytes` said to be in `charset`. Where that is no charset, or plainly wrong, the text is read as
// decode_text would read it; what stays undecodable is replaced. The note says so.
Decoded from_charset(std::string_view bytes, std::string_view charset);

}  // namespace nl::documents::foreign
