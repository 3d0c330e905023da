// PaperPage: the layout set on one page of A4: every piece of text with its place and font.
//
// set_page() lays out at one size of type and says how far down it came; fit_page() finds the
// largest size that fits, and where even the smallest does not, leaves out what is worth least and
// says so on the page. Knows no PDF: the widths of text come from outside. Pure; any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "sheet/sheet_layout.h"

namespace nl::sheet {

// Points; the origin is the lower left corner, as in PDF.
inline constexpr double kPageWidth = 595.28;
inline constexpr double kPageHeight = 841.89;
inline constexpr double kPageMargin = 34;

enum class Face : std::uint8_t { regular, bold };

// The width of `text` in `face` at a size of one point.
using TypeWidth = std::function<double(Face face, std::string_view text)>;

struct PlacedText {
  double x = 0;
  double y = 0;  // of the base line
  double size = 0;
  Face face = Face::regular;
  Tone tone = Tone::plain;
  std::string text;
};

struct PlacedRule {
  double y = 0;
  Tone tone = Tone::plain;
};

struct PaperPage {
  std::vector<PlacedText> texts;
  std::vector<PlacedRule> rules;
  double bottom = 0;  // how far down it came; below the margin = does not fit
};

PaperPage set_page(const Layout& layout, double size, const TypeWidth& width);

// Always fits: what would not is left out.
PaperPage fit_page(Layout layout, const TypeWidth& width);

// Leaves out the least important thing of `layout`; false when there is nothing left to leave out.
bool shorten(Layout& layout);

}  // namespace nl::sheet
