// html_sheet: the layout as one HTML document that needs nothing else.
//
// No script, no font, no image, no address: a policy in the document itself forbids every request.
// Light and dark by what the reader prefers; below a width the tables become cards with the heading
// before each value; prints. Every text is escaped. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "sheet/sheet_layout.h"

namespace nl::sheet {

std::string html_sheet(const Layout& layout);

// `text` for an element or a quoted attribute.
std::string escaped_html(std::string_view text);

}  // namespace nl::sheet
