// terminal_sheet: the layout as text in columns, for a terminal or a pipe.
//
// No line is wider than `width` (one that is too narrow for the tables is taken as kNarrowest).
// Pure; any thread.
#pragma once

#include <cstdint>
#include <string>

#include "sheet/sheet_layout.h"

namespace nl::sheet {

inline constexpr int kTerminalWidth = 100;
inline constexpr int kNarrowest = 72;

enum class Colour : std::uint8_t { none, ansi };

std::string terminal_sheet(const Layout& layout, int width, Colour colour);

}  // namespace nl::sheet
