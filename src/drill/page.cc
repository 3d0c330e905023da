#include "drill/page.h"

#include <string_view>

namespace nl::drill {
namespace {

constexpr std::string_view kStyle =
    ":root{color-scheme:light dark;--ink:#1d2430;--paper:#fbfaf7;--line:#d9d5cb;--soft:#f1eee6}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e4e1d8;--paper:#14171d;--line:#343a45;"
    "--soft:#1d222b}}"
    "body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);"
    "max-width:70rem;margin:2rem auto;padding:0 1rem}"
    "h1,h2,h3{line-height:1.2}h2{margin-top:2.2rem}"
    "div{overflow-x:auto}table{border-collapse:collapse;font-size:.9rem;width:100%}"
    "th,td{border:1px solid var(--line);padding:.35rem .6rem;text-align:left;vertical-align:top}"
    "th{background:var(--soft)}";

// A table cell ends at a bar, and a line break would end the row.
std::string markdown_cell(std::string_view text) {
  std::string cell;
  for (const char c : text) {
    if (c == '|' || c == '\\') cell += '\\';
    cell += c == '\n' || c == '\r' ? ' ' : c;
  }
  return cell;
}

std::string html_text(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    if (c == '&') {
      safe += "&amp;";
    } else if (c == '<') {
      safe += "&lt;";
    } else if (c == '>') {
      safe += "&gt;";
    } else {
      safe += c;
    }
  }
  return safe;
}

struct Markdown {
  std::string& out;

  void row(const std::vector<std::string>& cells) const {
    out += '|';
    for (const std::string& cell : cells) out += " " + markdown_cell(cell) + " |";
    out += '\n';
  }
  void operator()(const PageHeading& heading) const {
    out += std::string(static_cast<std::size_t>(heading.level), '#') + " " + heading.text + "\n\n";
  }
  void operator()(const PageText& text) const { out += text.text + "\n\n"; }
  void operator()(const PageList& list) const {
    for (const std::string& item : list.items) out += "* " + item + "\n";
    out += '\n';
  }
  void operator()(const PageTable& table) const {
    row(table.head);
    row(std::vector<std::string>(table.head.size(), "---"));
    for (const auto& cells : table.rows) row(cells);
    out += '\n';
  }
};

struct Html {
  std::string& out;

  void row(const std::vector<std::string>& cells, std::string_view tag) const {
    out += "<tr>";
    for (const std::string& cell : cells) element(tag, cell);
    out += "</tr>\n";
  }
  void element(std::string_view tag, const std::string& text) const {
    out.append("<").append(tag).append(">").append(html_text(text));
    out.append("</").append(tag).append(">");
  }
  void operator()(const PageHeading& heading) const {
    element("h" + std::to_string(heading.level), heading.text);
    out += '\n';
  }
  void operator()(const PageText& text) const {
    element("p", text.text);
    out += '\n';
  }
  void operator()(const PageList& list) const {
    out += "<ul>\n";
    for (const std::string& item : list.items) element("li", item);
    out += "\n</ul>\n";
  }
  void operator()(const PageTable& table) const {
    out += "<div><table>\n";
    row(table.head, "th");
    for (const auto& cells : table.rows) row(cells, "td");
    out += "</table></div>\n";
  }
};

}  // namespace

std::string page_markdown(const DrillPage& page) {
  std::string out = "# " + page.title + "\n\n";
  for (const PagePart& part : page.parts) std::visit(Markdown{out}, part);
  while (out.ends_with("\n\n")) out.pop_back();
  return out;
}

std::string page_html(const DrillPage& page) {
  std::string out =
      "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>";
  out += html_text(page.title) + "</title>\n<style>" + std::string(kStyle) + "</style>\n<h1>";
  out += html_text(page.title) + "</h1>\n";
  for (const PagePart& part : page.parts) std::visit(Html{out}, part);
  return out + "</html>\n";
}

}  // namespace nl::drill
