#include "sheet/paper_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "sheet/sheet_text.h"
#include "sheet/table_grid.h"

namespace nl::sheet {
namespace {

constexpr double kInner = kPageWidth - 2 * kPageMargin;
constexpr std::array<double, 9> kSizes = {9, 8.6, 8.2, 7.8, 7.4, 7, 6.7, 6.4, 6.1};
constexpr double kLeading = 1.24;  // of the size
constexpr std::size_t kRowsKept = 6;
constexpr std::size_t kRowsOfAPage = 110;  // more than fit in the smallest type

class Setting {
 public:
  Setting(double size, const TypeWidth& width)
      : size_(size), width_(width), y_(kPageHeight - kPageMargin) {}

  void line(std::string_view text, double scale, Face face, Tone tone) {
    const double size = size_ * scale;
    for (const std::string& part : wrap(text, kInner, measure(face, size))) {
      y_ -= size * kLeading;
      page_.texts.push_back({kPageMargin, y_, size, face, tone, part});
    }
  }
  // What begins below the page is not set any more: it does not fit, and no one asks by how much.
  void section(const Section& section) {
    if (y_ < kPageMargin) return;
    y_ -= size_ * 0.55;
    line(section.title, 1.12, Face::bold, Tone::strong);
    y_ -= size_ * 0.1;
    if (!section.rows.empty()) table(section);
    for (const std::string& note : section.notes) {
      line(note, 0.88, Face::regular, Tone::faint);
    }
  }
  void space(double lines) { y_ -= size_ * lines; }
  PaperPage take() {
    page_.bottom = y_;
    return std::move(page_);
  }

 private:
  Measure measure(Face face, double size) const {
    return [this, face, size](std::string_view text) { return width_(face, text) * size; };
  }
  void table(const Section& section) {
    // Measured in bold, so that a row that stands out fits as well.
    const Space space{kInner, size_ * 1.1, size_ * 8};
    const TableGrid grid = make_grid(section, space, measure(Face::bold, size_));
    row(section, grid, grid.head);
    page_.rules.push_back({y_ - size_ * 0.28, Tone::faint});
    y_ -= size_ * 0.12;
    for (const GridRow& one : grid.rows) row(section, grid, one);
    y_ -= size_ * 0.15;
  }
  void row(const Section& section, const TableGrid& grid, const GridRow& one) {
    const bool head = &one == &grid.head;
    const Face strong = one.tone == Tone::strong ? Face::bold : Face::regular;
    const Tone tone = head ? Tone::faint : one.tone;
    for (std::size_t line = 0; line < one.lines; ++line) {
      y_ -= size_ * kLeading;
      double x = kPageMargin;
      for (std::size_t i = 0; i < one.cells.size(); ++i) {
        const Face face = i == 0 && !head ? Face::bold : strong;
        if (line < one.cells[i].size() && !one.cells[i][line].empty()) {
          const std::string& text = one.cells[i][line];
          const bool right = section.columns[i].align == Align::right;
          const double rest = right ? grid.widths[i] - width_(face, text) * size_ : 0;
          page_.texts.push_back({x + rest, y_, size_, face, tone, text});
        }
        x += grid.widths[i] + size_ * 1.1;
      }
    }
  }

  double size_;
  const TypeWidth& width_;
  double y_;
  PaperPage page_;
};

// Cuts the longest list of those that have no bound, if it has more rows than `most`.
bool cut_rows(Layout& layout, std::size_t most) {
  const auto open_rows = [](const Section& section) {
    return section.extent == Extent::open ? section.rows.size() : 0;
  };
  const auto longest = std::ranges::max_element(layout.sections, {}, open_rows);
  if (longest == layout.sections.end() || open_rows(*longest) <= most) return false;
  const std::string left = fmt::format("and {} more: `nightlight cheatsheet` shows them",
                                       longest->rows.size() - kRowsKept);
  longest->rows.resize(kRowsKept);
  longest->notes.insert(longest->notes.begin(), left);
  return true;
}

}  // namespace

PaperPage set_page(const Layout& layout, double size, const TypeWidth& width) {
  Setting setting(size, width);
  setting.line(layout.title, 1.7, Face::bold, Tone::strong);
  setting.line(layout.subtitle, 1, Face::regular, Tone::faint);
  setting.space(0.2);
  for (const std::string& line : layout.lead) setting.line(line, 1, Face::regular, Tone::plain);
  for (const Section& section : layout.sections) setting.section(section);
  setting.space(0.5);
  for (const std::string& line : layout.foot) setting.line(line, 0.88, Face::regular, Tone::faint);
  return setting.take();
}

bool shorten(Layout& layout) {
  if (cut_rows(layout, kRowsKept)) return true;
  if (layout.sections.empty()) return false;
  const auto least = std::ranges::min_element(layout.sections, {},
                                              [](const Section& section) { return section.worth; });
  const std::string said = "Left out for one page: " + least->title + ".";
  layout.sections.erase(least);
  layout.foot.push_back(said);
  return true;
}

PaperPage fit_page(Layout layout, const TypeWidth& width) {
  while (cut_rows(layout, kRowsOfAPage)) {
  }
  for (;;) {
    for (const double size : kSizes) {
      PaperPage page = set_page(layout, size, width);
      if (page.bottom >= kPageMargin) return page;
    }
    if (shorten(layout)) continue;
    // A lead alone that is longer than a page: its end is cut.
    PaperPage page = set_page(layout, kSizes.back(), width);
    std::erase_if(page.texts, [](const PlacedText& text) { return text.y < kPageMargin; });
    page.bottom = kPageMargin;
    return page;
  }
}

}  // namespace nl::sheet
