// The text layer of a PDF, page by page, by poppler.
//
// Runs in the reading program only. Pages are said as they are read, so that what was read stays
// when a bound ends this process in the middle of a page. Nothing is rendered. One thread.
#pragma once

#include <cstddef>
#include <string_view>

namespace nl::documents::foreign {

struct PdfBounds {
  std::size_t pages_max = 0;
  std::size_t text_bytes_max = 0;
};

// Writes the records of `bytes` to standard output. False when it could not be written.
bool say_pdf(std::string_view bytes, const PdfBounds& bounds);

}  // namespace nl::documents::foreign
