// The three forms of one layout, with texts that nobody vouches for.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "sheet/html_sheet.h"
#include "sheet/paper_page.h"
#include "sheet/pdf_sheet.h"
#include "sheet/sheet_text.h"
#include "sheet/terminal_sheet.h"

namespace nl::sheet {
namespace {

SheetFacts some_facts() {
  SheetFacts facts;
  facts.version = "1";
  facts.date = "2026-11-25";
  facts.about = {"This machine: 16.0 GB of memory, 8 cores."};
  SizeLine size;
  size.title = "Gemma 4 E4B";
  size.standing = Standing::pick;
  size.verdict = "the pick";
  size.place = "memory";
  size.needs_bytes = 7'500'000'000;
  size.window = 32768;
  size.nominal = 131072;
  size.slots = 2;
  size.reads = 53;
  size.writes = 9.6;
  facts.sizes = {size};
  NeedLine need;
  need.title = size.title;
  need.inputs = {"text", "image"};
  need.tools = "calls some";
  facts.needs = {need};
  facts.now = {{"gateway", "does not run"}};
  facts.bus_factor = {{"no network", {}, {"mine is the same account"}}};
  return facts;
}

SheetFacts hostile_facts() {
  SheetFacts facts = some_facts();
  facts.tasks.push_back({"<script>alert('x')</script> & \"quoted\"", "\x1b]0;owned\x07 ready",
                         "gemma4:e4b", "2026-11-25"});
  facts.tasks.push_back({std::string(300, 'w'), "caf\xc3\xa9 \xe6\x97\xa5\xe6\x9c\xac", "", ""});
  facts.tasks.push_back({"(paren) \\back", "\xff\xfe", "%s%n", "\xe2\x82\xac"});
  return facts;
}

std::size_t count_of(std::string_view text, std::string_view what) {
  std::size_t count = 0;
  for (std::size_t at = text.find(what); at != text.npos; at = text.find(what, at + 1)) ++count;
  return count;
}

std::size_t pages_of(const std::string& pdf) {
  return count_of(pdf, "/Type /Page\n") + count_of(pdf, "/Type /Page>") +
         count_of(pdf, "/Type /Page ");
}

TEST(TerminalSheet, KeepsItsWidthWhateverTheTexts) {
  for (const int width : {40, 72, 80, 100}) {
    std::istringstream text(terminal_sheet(make_layout(hostile_facts()), width, Colour::none));
    std::string line;
    while (std::getline(text, line)) {
      EXPECT_LE(terminal_columns(line), static_cast<std::size_t>(std::max(width, kNarrowest)))
          << line;
      EXPECT_FALSE(line.ends_with(' ')) << line;
    }
  }
}

TEST(TerminalSheet, HasColourOnlyWhenAsked) {
  const Layout layout = make_layout(hostile_facts());
  EXPECT_EQ(terminal_sheet(layout, 100, Colour::none).find('\x1b'), std::string::npos);
  std::string coloured = terminal_sheet(layout, 100, Colour::ansi);
  EXPECT_NE(coloured.find("\x1b[1m"), std::string::npos);
  for (const std::string code : {"\x1b[1m", "\x1b[2m", "\x1b[0m"}) {
    for (std::size_t at = coloured.find(code); at != coloured.npos; at = coloured.find(code)) {
      coloured.erase(at, code.size());
    }
  }
  EXPECT_EQ(coloured, terminal_sheet(layout, 100, Colour::none));
}

TEST(TerminalSheet, TellsEstimatesFromMeasurements) {
  SheetFacts facts = some_facts();
  EXPECT_NE(terminal_sheet(make_layout(facts), 100, Colour::none).find("~53    ~9.6"),
            std::string::npos);
  facts.sizes.front().rates = Known::measured;
  const std::string text = terminal_sheet(make_layout(facts), 100, Colour::none);
  EXPECT_NE(text.find(" 53     9.6"), std::string::npos) << text;
  EXPECT_EQ(text.find("~53"), std::string::npos);
}

TEST(HtmlSheet, EscapesEveryText) {
  const std::string html = html_sheet(make_layout(hostile_facts()));
  EXPECT_EQ(count_of(html, "<script"), 0U);
  EXPECT_NE(html.find("&lt;script&gt;alert(&#39;x&#39;)&lt;"), std::string::npos);
  EXPECT_NE(html.find("&quot;quoted&quot;"), std::string::npos);
  EXPECT_EQ(html.find('\x1b'), std::string::npos);
}

TEST(HtmlSheet, AsksForNothing) {
  const std::string html = html_sheet(make_layout(some_facts()));
  EXPECT_NE(html.find("default-src 'none'"), std::string::npos);
  for (const char* word : {"http:", "https:", "src=", "url(", "@import", "<link", "<img"}) {
    EXPECT_EQ(html.find(word), std::string::npos) << word;
  }
}

TEST(HtmlSheet, EveryCellHasItsHeading) {
  const std::string html = html_sheet(make_layout(some_facts()));
  EXPECT_EQ(count_of(html, "<table"), count_of(html, "<thead"));
  EXPECT_EQ(count_of(html, "<td"), count_of(html, "data-label=\""));
  EXPECT_EQ(count_of(html, "data-label=\"\""), 0U);
  EXPECT_EQ(count_of(html, "<tr role=\"row\""), count_of(html, "</tr>"));
}

TEST(PdfSheet, IsOnePageAndTheSameEachTime) {
  const Layout layout = make_layout(hostile_facts());
  const auto pdf = pdf_sheet(layout);
  ASSERT_TRUE(pdf) << pdf.error().message;
  EXPECT_TRUE(pdf->starts_with("%PDF-"));
  EXPECT_EQ(pages_of(*pdf), 1U);
  EXPECT_EQ(*pdf, pdf_sheet(layout).value_or(""));
}

TEST(PdfSheet, IsOnePageHoweverMuchThereIs) {
  SheetFacts facts = hostile_facts();
  for (int i = 0; i < 300; ++i) {
    facts.tasks.push_back({fmt::format("task {}", i), std::string(200, 'r'), "m", "d"});
    facts.now.push_back({"warm", std::string(390, 'n')});
    facts.commands.push_back({"nightlight x", std::string(390, 'c')});
  }
  const auto pdf = pdf_sheet(make_layout(facts));
  ASSERT_TRUE(pdf) << pdf.error().message;
  EXPECT_EQ(pages_of(*pdf), 1U);
}

// A type in which every character is half as wide as high.
double plain_type(Face, std::string_view text) {
  return 0.5 * static_cast<double>(terminal_columns(text));
}

std::string text_of(const PaperPage& page) {
  std::string text;
  for (const PlacedText& placed : page.texts) text += placed.text + "\n";
  return text;
}

TEST(PaperPage, NothingStandsOutsideTheMargins) {
  for (const int more : {0, 20, 2000}) {
    SheetFacts facts = hostile_facts();
    for (int i = 0; i < more; ++i) facts.about.push_back("a line of the machine");
    const PaperPage page = fit_page(make_layout(facts), plain_type);
    EXPECT_GE(page.bottom, kPageMargin);
    ASSERT_FALSE(page.texts.empty());
    for (const PlacedText& text : page.texts) {
      EXPECT_GE(text.x, kPageMargin - 0.01) << text.text;
      EXPECT_GE(text.y, kPageMargin - 0.01) << text.text;
      const double right = text.x + plain_type(text.face, text.text) * text.size;
      EXPECT_LE(right, kPageWidth - kPageMargin + 0.01) << text.text;
    }
  }
}

TEST(PaperPage, AColumnThatHasRoomIsNotBroken) {
  SheetFacts facts = some_facts();
  facts.commands = {{"nightlight cheatsheet --pdf FILE", "this page for the wall"}};
  for (const double each : {0.1, 0.3, 0.37, 0.55}) {
    const auto type = [each](Face, std::string_view text) {
      return each * static_cast<double>(terminal_columns(text));
    };
    const std::string text = text_of(set_page(make_layout(facts), 7.4, type));
    EXPECT_NE(text.find("nightlight cheatsheet --pdf FILE\n"), std::string::npos) << each;
  }
}

TEST(PaperPage, LeavesOutWhatIsWorthLeastAndSaysSo) {
  SheetFacts facts = some_facts();
  for (int i = 0; i < 90; ++i) facts.commands.push_back({"nightlight x", "does something"});
  const std::string text = text_of(fit_page(make_layout(facts), plain_type));
  EXPECT_NE(text.find("Left out for one page: What each size needs."), std::string::npos) << text;
  EXPECT_NE(text.find("Gemma 4 on this machine"), std::string::npos);
}

TEST(PaperPage, CutsALongListBeforeASection) {
  SheetFacts facts = some_facts();
  for (int i = 0; i < 90; ++i) facts.tasks.push_back({fmt::format("task {}", i), "", "", ""});
  const std::string text = text_of(fit_page(make_layout(facts), plain_type));
  EXPECT_NE(text.find("task 5\n"), std::string::npos);
  EXPECT_EQ(text.find("task 6\n"), std::string::npos);
  EXPECT_NE(text.find("and 84 more"), std::string::npos);
  EXPECT_EQ(text.find("Left out"), std::string::npos) << text;
}

TEST(PdfText, IsWindows1252OrAQuestionMark) {
  EXPECT_EQ(windows_1252("caf\xc3\xa9"), "caf\xe9");
  EXPECT_EQ(windows_1252("\xe2\x82\xac \xe2\x80\x93"), "\x80 \x96");
  EXPECT_EQ(windows_1252("\xe6\x97\xa5"), "?");
}

}  // namespace
}  // namespace nl::sheet
