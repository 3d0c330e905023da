#include "sheet/terminal_sheet.h"

#include <algorithm>
#include <cmath>

#include "sheet/sheet_text.h"
#include "sheet/table_grid.h"

namespace nl::sheet {
namespace {

constexpr const char* kStrong = "\x1b[1m";
constexpr const char* kFaint = "\x1b[2m";
constexpr const char* kPlain = "\x1b[0m";

double columns(std::string_view text) {
  return static_cast<double>(terminal_columns(text));
}

class Terminal {
 public:
  Terminal(int width, Colour colour) : width_(width), colour_(colour) {}

  void paragraph(std::string_view text, std::string_view indent, Tone tone) {
    const double room = static_cast<double>(width_) - columns(indent);
    for (const std::string& line : wrap(text, room, columns)) {
      write(std::string(indent) + line, tone);
    }
  }
  void section(const Section& section) {
    text_ += '\n';
    write(section.title, Tone::strong);
    if (!section.rows.empty()) table(section);
    for (const std::string& note : section.notes) paragraph(note, "  ", Tone::faint);
  }
  std::string take() { return std::move(text_); }

 private:
  static constexpr int kGap = 2;
  static constexpr int kIndent = 2;

  void table(const Section& section) {
    const Space space{static_cast<double>(width_ - kIndent), kGap, 16};
    const TableGrid grid = make_grid(section, space, columns);
    row(section, grid, grid.head);
    for (const GridRow& one : grid.rows) row(section, grid, one);
  }
  void row(const Section& section, const TableGrid& grid, const GridRow& one) {
    const Tone tone = &one == &grid.head ? Tone::faint : one.tone;
    for (std::size_t line = 0; line < one.lines; ++line) {
      std::string text(kIndent, ' ');
      for (std::size_t i = 0; i < one.cells.size(); ++i) {
        const std::string cell = line < one.cells[i].size() ? one.cells[i][line] : "";
        const auto room = static_cast<std::size_t>(std::floor(grid.widths[i]));
        const std::string fill(room - std::min(room, terminal_columns(cell)), ' ');
        const bool right = section.columns[i].align == Align::right;
        text += (i == 0 ? "" : std::string(kGap, ' ')) + (right ? fill + cell : cell + fill);
      }
      write(text, tone);
    }
  }
  void write(std::string line, Tone tone) {
    line.erase(line.find_last_not_of(' ') + 1);
    const bool plain = colour_ == Colour::none || tone == Tone::plain || line.empty();
    if (plain) {
      text_ += line + '\n';
    } else {
      text_ += (tone == Tone::strong ? kStrong : kFaint) + line + kPlain + '\n';
    }
  }

  int width_;
  Colour colour_;
  std::string text_;
};

}  // namespace

std::string terminal_sheet(const Layout& layout, int width, Colour colour) {
  Terminal terminal(std::max(width, kNarrowest), colour);
  terminal.paragraph(layout.title, "", Tone::strong);
  terminal.paragraph(layout.subtitle, "", Tone::faint);
  for (const std::string& line : layout.lead) terminal.paragraph(line, "", Tone::plain);
  for (const Section& section : layout.sections) terminal.section(section);
  if (!layout.foot.empty()) terminal.paragraph("", "", Tone::plain);
  for (const std::string& line : layout.foot) terminal.paragraph(line, "", Tone::faint);
  return terminal.take();
}

}  // namespace nl::sheet
