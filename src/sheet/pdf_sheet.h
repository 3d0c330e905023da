// pdf_sheet: the layout as a PDF of exactly one A4 page.
//
// Text is set in Helvetica, which every reader has, so the file holds no font; what Windows-1252
// does not know becomes "?". The same layout gives the same bytes. Blocks on nothing; any thread.
// The only user of libharu.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "sheet/sheet_layout.h"

namespace nl::sheet {

// Errors: internal (the library has refused something; its number is said).
Result<std::string> pdf_sheet(const Layout& layout);

// Clean UTF-8 as the bytes of Windows-1252.
std::string windows_1252(std::string_view text);

}  // namespace nl::sheet
