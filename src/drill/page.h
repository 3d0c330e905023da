// DrillPage: a page of headings, paragraphs, lists and tables, as Markdown and as one HTML file.
//
// The HTML needs nothing beside it: no script, no font, no picture; it follows the reader's choice
// of light or dark. All text is escaped. Pure functions; any thread.
#pragma once

#include <string>
#include <variant>
#include <vector>

namespace nl::drill {

struct PageHeading {
  int level = 2;
  std::string text;
};
struct PageText {
  std::string text;
};
struct PageList {
  std::vector<std::string> items;
};
struct PageTable {
  std::vector<std::string> head;
  std::vector<std::vector<std::string>> rows;
};
using PagePart = std::variant<PageHeading, PageText, PageList, PageTable>;

struct DrillPage {
  std::string title;
  std::vector<PagePart> parts;
};

std::string page_markdown(const DrillPage& page);
std::string page_html(const DrillPage& page);

}  // namespace nl::drill
