#include "sheet/pdf_sheet.h"

#include <fmt/format.h>
#include <hpdf.h>

#include <algorithm>
#include <array>
#include <memory>
#include <type_traits>

#include "sheet/paper_page.h"
#include "sheet/sheet_text.h"

namespace nl::sheet {
namespace {

constexpr const char* kEncoding = "WinAnsiEncoding";

// What Windows-1252 has at 0x80 to 0x9F; 0 = nothing.
constexpr std::array<char32_t, 32> kHighRow = {
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};

float grey_of(Tone tone) {
  switch (tone) {
    case Tone::plain:
      return 0.1F;
    case Tone::strong:
      return 0;
    case Tone::faint:
      return 0.38F;
  }
  return 0;
}

struct FreeDocument {
  void operator()(HPDF_Doc document) const { HPDF_Free(document); }
};
using Document = std::unique_ptr<std::remove_pointer_t<HPDF_Doc>, FreeDocument>;

struct Fonts {
  HPDF_Font regular = nullptr;
  HPDF_Font bold = nullptr;
  HPDF_Font of(Face face) const { return face == Face::bold ? bold : regular; }
};

double width_of(HPDF_Font font, std::string_view utf8) {
  const std::string bytes = windows_1252(utf8);
  const auto* start = reinterpret_cast<const HPDF_BYTE*>(bytes.data());
  const HPDF_TextWidth found =
      HPDF_Font_TextWidth(font, start, static_cast<HPDF_UINT>(bytes.size()));
  return found.width / 1000.0;
}

void draw(HPDF_Page page, const PaperPage& set, const Fonts& fonts) {
  HPDF_Page_SetLineWidth(page, 0.4F);
  for (const PlacedRule& rule : set.rules) {
    const auto y = static_cast<HPDF_REAL>(rule.y);
    HPDF_Page_SetGrayStroke(page, grey_of(rule.tone));
    HPDF_Page_MoveTo(page, static_cast<HPDF_REAL>(kPageMargin), y);
    HPDF_Page_LineTo(page, static_cast<HPDF_REAL>(kPageWidth - kPageMargin), y);
    HPDF_Page_Stroke(page);
  }
  HPDF_Page_BeginText(page);
  for (const PlacedText& text : set.texts) {
    HPDF_Page_SetGrayFill(page, grey_of(text.tone));
    HPDF_Page_SetFontAndSize(page, fonts.of(text.face), static_cast<HPDF_REAL>(text.size));
    HPDF_Page_TextOut(page, static_cast<HPDF_REAL>(text.x), static_cast<HPDF_REAL>(text.y),
                      windows_1252(text.text).c_str());
  }
  HPDF_Page_EndText(page);
}

Result<std::string> bytes_of(HPDF_Doc document) {
  HPDF_SaveToStream(document);
  std::string bytes(HPDF_GetStreamSize(document), '\0');
  HPDF_ResetStream(document);
  auto size = static_cast<HPDF_UINT32>(bytes.size());
  HPDF_ReadFromStream(document, reinterpret_cast<HPDF_BYTE*>(bytes.data()), &size);
  bytes.resize(size);
  const HPDF_STATUS status = HPDF_GetError(document);
  if (status != HPDF_OK && status != HPDF_STREAM_EOF) {
    return fail(ErrorCode::internal, fmt::format("libharu refused the page: {:#x}", status));
  }
  return bytes;
}

}  // namespace

std::string windows_1252(std::string_view text) {
  std::string bytes;
  for (const char32_t point : code_points(text)) {
    if (point < 0x80 || (point >= 0xA0 && point <= 0xFF)) {
      bytes += static_cast<char>(static_cast<unsigned char>(point));
      continue;
    }
    const auto found = std::ranges::find(kHighRow, point);
    const bool known = found != kHighRow.end() && point != 0;
    bytes += known ? static_cast<char>(0x80 + (found - kHighRow.begin())) : '?';
  }
  return bytes;
}

Result<std::string> pdf_sheet(const Layout& layout) {
  // Without a handler the library keeps its first error, which bytes_of() asks for.
  const Document document(HPDF_New(nullptr, nullptr));
  if (!document) return fail(ErrorCode::internal, "libharu does not start");
  HPDF_SetCompressionMode(document.get(), HPDF_COMP_TEXT);
  HPDF_SetInfoAttr(document.get(), HPDF_INFO_TITLE, windows_1252(layout.title).c_str());
  HPDF_SetInfoAttr(document.get(), HPDF_INFO_CREATOR, windows_1252(layout.subtitle).c_str());
  const Fonts fonts{HPDF_GetFont(document.get(), "Helvetica", kEncoding),
                    HPDF_GetFont(document.get(), "Helvetica-Bold", kEncoding)};
  HPDF_Page page = HPDF_AddPage(document.get());
  if (fonts.regular == nullptr || fonts.bold == nullptr || page == nullptr) {
    return fail(ErrorCode::internal, "libharu has no page or no font");
  }
  HPDF_Page_SetWidth(page, static_cast<HPDF_REAL>(kPageWidth));
  HPDF_Page_SetHeight(page, static_cast<HPDF_REAL>(kPageHeight));
  const PaperPage set = fit_page(layout, [&fonts](Face face, std::string_view text) {
    return width_of(fonts.of(face), text);
  });
  draw(page, set, fonts);
  return bytes_of(document.get());
}

}  // namespace nl::sheet
