// TableGrid: one table of the layout fitted into a width: how wide each column is, and every cell
// broken into lines of it.
//
// Terminal and paper share it and differ in the measure alone. Columns of numbers keep their width;
// where that is too much in all, the widest columns of text give way. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "sheet/sheet_layout.h"
#include "sheet/sheet_text.h"

namespace nl::sheet {

struct GridRow {
  std::vector<std::vector<std::string>> cells;  // lines of each column
  std::size_t lines = 1;                        // of the tallest one
  Tone tone = Tone::plain;
};

struct TableGrid {
  std::vector<double> widths;  // of the columns
  GridRow head;
  std::vector<GridRow> rows;
};

struct Space {
  double width = 0;
  double gap = 0;         // between two columns
  double text_least = 0;  // a column of text is not made narrower than this
};

TableGrid make_grid(const Section& section, const Space& space, const Measure& measure);

}  // namespace nl::sheet
