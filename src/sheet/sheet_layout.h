// Layout: the sheet as every medium shows it: lead, tables with their headings, notes below them.
//
// make_layout() is the only maker, so terminal, browser and paper cannot tell different things. All
// texts have passed clean(). A section says what it is worth, which is how paper chooses what to
// leave out. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sheet/sheet_facts.h"

namespace nl::sheet {

enum class Align : std::uint8_t { left, right };
enum class Tone : std::uint8_t { plain, strong, faint };

struct Column {
  std::string title;
  Align align = Align::left;
};

struct Row {
  std::vector<std::string> cells;  // one for each column; the first names the row
  Tone tone = Tone::plain;
};

// Whether a table has the rows that we gave it or as many as its user has.
enum class Extent : std::uint8_t { ours, open };

struct Section {
  std::string id;  // a word of ours: safe in an attribute
  std::string title;
  std::vector<Column> columns;
  std::vector<Row> rows;
  std::vector<std::string> notes;
  int worth = 0;
  Extent extent = Extent::ours;
};

struct Layout {
  std::string title;
  std::string subtitle;
  std::vector<std::string> lead;
  std::vector<Section> sections;
  std::vector<std::string> foot;
};

Layout make_layout(const SheetFacts& facts);

}  // namespace nl::sheet
