#include "sheet/table_grid.h"

#include <algorithm>

namespace nl::sheet {
namespace {

struct Need {
  double natural = 0;
  double least = 0;
};

Need need_of(const Section& section, std::size_t column, const Space& space,
             const Measure& measure) {
  Need need;
  need.natural = widest_word(section.columns[column].title, measure);
  const bool text = section.columns[column].align == Align::left;
  need.least = need.natural;
  double word = 0;
  for (const Row& row : section.rows) {
    if (column >= row.cells.size()) continue;
    need.natural = std::max(need.natural, measure(row.cells[column]));
    word = std::max(word, widest_word(row.cells[column], measure));
  }
  need.least = text ? std::max(need.least, std::min(word, space.text_least)) : need.natural;
  return need;
}

double total(const std::vector<Need>& needs, double level) {
  double sum = 0;
  for (const Need& need : needs) sum += std::min(need.natural, std::max(need.least, level));
  return sum;
}

// The widest columns give way until all of them fit; none goes below its least.
std::vector<double> widths_of(const std::vector<Need>& needs, double available) {
  double low = 0;
  double high = 0;
  for (const Need& need : needs) high = std::max(high, need.natural);
  if (total(needs, high) > available) {
    for (int step = 0; step < 40; ++step) {
      const double middle = (low + high) / 2;
      (total(needs, middle) > available ? high : low) = middle;
    }
    high = low;
  }
  std::vector<double> widths;
  for (const Need& need : needs) {
    widths.push_back(std::min(need.natural, std::max(need.least, high)));
  }
  return widths;
}

GridRow row_of(const std::vector<std::string>& cells, const TableGrid& grid,
               const Measure& measure) {
  GridRow row;
  for (std::size_t i = 0; i < grid.widths.size(); ++i) {
    const std::string text = i < cells.size() ? cells[i] : std::string();
    row.cells.push_back(wrap(text, grid.widths[i], measure));
    row.lines = std::max(row.lines, row.cells.back().size());
  }
  return row;
}

}  // namespace

TableGrid make_grid(const Section& section, const Space& space, const Measure& measure) {
  std::vector<Need> needs;
  for (std::size_t i = 0; i < section.columns.size(); ++i) {
    needs.push_back(need_of(section, i, space, measure));
  }
  TableGrid grid;
  const double gaps = space.gap * static_cast<double>(needs.empty() ? 0 : needs.size() - 1);
  grid.widths = widths_of(needs, space.width - gaps);
  std::vector<std::string> titles;
  for (const Column& column : section.columns) titles.push_back(column.title);
  grid.head = row_of(titles, grid, measure);
  for (const Row& row : section.rows) {
    grid.rows.push_back(row_of(row.cells, grid, measure));
    grid.rows.back().tone = row.tone;
  }
  return grid;
}

}  // namespace nl::sheet
