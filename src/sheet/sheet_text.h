// Text of the sheet: made safe to show, measured and broken into lines.
//
// clean() is the gate that every text passes on its way into the layout: valid UTF-8, no control
// characters (a terminal would obey them), nothing that turns the direction of reading, bounded.
// Pure; any thread.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace nl::sheet {

inline constexpr std::size_t kCellCharactersMax = 400;

// `text` with a space for each control character, "?" for what is no UTF-8, and "..." behind the
// longest that is shown.
std::string clean(std::string_view text);

// The code points of clean() text.
std::vector<char32_t> code_points(std::string_view text);

// Columns that clean() text takes on a terminal: wide characters take two, combining ones none.
std::size_t terminal_columns(std::string_view text);

// How wide a piece of text is, in whatever unit the widths are. Pieces side by side are as wide as
// their sum: there is no kerning.
using Measure = std::function<double(std::string_view)>;

// Lines of at most `width`, broken at spaces, and inside a word that is wider than a line. Never
// empty.
std::vector<std::string> wrap(std::string_view text, double width, const Measure& measure);

// The widest word of it.
double widest_word(std::string_view text, const Measure& measure);

}  // namespace nl::sheet
