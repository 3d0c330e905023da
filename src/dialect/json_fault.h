// JsonFault: why a text is no valid JSON, and where.
//
// What the passes of the parser hand to Document::parse, which makes it an Error. Plain value.
#pragma once

#include <cstddef>

namespace nl::dialect {

struct JsonFault {
  const char* what;  // static text
  std::size_t at;    // byte offset
};

}  // namespace nl::dialect
