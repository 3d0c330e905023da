#include "sheet/html_sheet.h"

#include <fmt/format.h>

namespace nl::sheet {
namespace {

constexpr std::string_view kStyle = R"css(
:root { color-scheme: light dark; --back: #fbfaf7; --text: #1d2126; --faint: #5b6570;
  --line: #d9d5cc; --mark: #fff1c9; --head: #7a4b00; }
@media (prefers-color-scheme: dark) {
  :root { --back: #14171c; --text: #e6e4de; --faint: #a0a7b0; --line: #333941; --mark: #3a2f12;
    --head: #f2bf62; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text);
  font: 15px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  overflow-wrap: break-word; }
main { max-width: 1180px; margin: 0 auto; padding: 20px 16px 32px; }
h1 { font-size: 1.5em; line-height: 1.2; margin: 0; }
h2 { font-size: 1.08em; margin: 1.5em 0 .35em; color: var(--head); }
p { margin: .3em 0; }
.faint, .note { color: var(--faint); }
.note { font-size: .88em; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .28em .7em .28em 0; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--line); }
thead th { font-weight: 600; font-size: .85em; color: var(--faint); vertical-align: bottom; }
tbody th { font-weight: 600; }
.right { text-align: right; }
td.right { white-space: nowrap; }
tr.strong { background: var(--mark); }
tr.faint { color: var(--faint); }
footer { margin-top: 1.8em; }
@media screen and (max-width: 760px) {
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  table, tbody, tr, tbody th, td { display: block; }
  tr { border-bottom: 1px solid var(--line); padding: .4em 0; }
  tr.strong { padding-left: .5em; }
  th, td { border: 0; padding: .08em 0; text-align: left; }
  td { display: flex; gap: .8em; }
  td.right { white-space: normal; text-align: left; }
  td::before { content: attr(data-label); flex: 0 0 9.5em; color: var(--faint); }
  td span { flex: 1 1 auto; min-width: 0; }
}
@media print {
  @page { size: A4; margin: 9mm; }
  :root { --back: #fff; --text: #000; --faint: #444; --line: #bbb; --mark: #eee; --head: #000; }
  body { font-size: 7.4pt; line-height: 1.22; }
  main { max-width: none; padding: 0; }
  h2 { margin: .7em 0 .15em; }
  th, td { padding: .1em .7em .1em 0; }
  tr, h2 { break-inside: avoid; }
  h2 { break-after: avoid; }
}
)css";

// A word wider than a column would push the page wide: it may break here and there.
constexpr std::size_t kWordMax = 20;

std::string shown(std::string_view text) {
  std::string out;
  std::size_t run = 0;
  std::size_t from = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool continues = (static_cast<unsigned char>(text[i]) & 0xC0U) == 0x80;
    if (continues) continue;
    run = text[i] == ' ' ? 0 : run + 1;
    if (run <= kWordMax) continue;
    out += escaped_html(text.substr(from, i - from)) + "<wbr>";
    from = i;
    run = 1;
  }
  return out + escaped_html(text.substr(from));
}

// Roles repeat what the elements are, because a browser forgets it of tables shown as blocks.
void write_head(std::string& out, const Section& section) {
  out += "<thead role=\"rowgroup\"><tr role=\"row\">";
  for (const Column& column : section.columns) {
    const char* align = column.align == Align::right ? " class=\"right\"" : "";
    out += fmt::format("<th scope=\"col\" role=\"columnheader\"{}>{}</th>", align,
                       escaped_html(column.title));
  }
  out += "</tr></thead>\n";
}

void write_row(std::string& out, const Section& section, const Row& row) {
  const char* tone = "";
  if (row.tone == Tone::strong) tone = " class=\"strong\"";
  if (row.tone == Tone::faint) tone = " class=\"faint\"";
  out += fmt::format("<tr role=\"row\"{}>", tone);
  for (std::size_t i = 0; i < section.columns.size(); ++i) {
    const std::string text = i < row.cells.size() ? shown(row.cells[i]) : "";
    if (i == 0) {
      out += fmt::format("<th scope=\"row\" role=\"rowheader\">{}</th>", text);
      continue;
    }
    const char* align = section.columns[i].align == Align::right ? " class=\"right\"" : "";
    out += fmt::format("<td role=\"cell\"{} data-label=\"{}\"><span>{}</span></td>", align,
                       escaped_html(section.columns[i].title), text);
  }
  out += "</tr>\n";
}

void write_section(std::string& out, const Section& section) {
  out += fmt::format("<section aria-labelledby=\"{0}\">\n<h2 id=\"{0}\">{1}</h2>\n", section.id,
                     escaped_html(section.title));
  if (!section.rows.empty()) {
    out += fmt::format("<table role=\"table\" aria-labelledby=\"{}\">\n", section.id);
    write_head(out, section);
    out += "<tbody role=\"rowgroup\">\n";
    for (const Row& row : section.rows) write_row(out, section, row);
    out += "</tbody></table>\n";
  }
  for (const std::string& note : section.notes) {
    out += fmt::format("<p class=\"note\">{}</p>\n", shown(note));
  }
  out += "</section>\n";
}

}  // namespace

std::string escaped_html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '"') {
      out += "&quot;";
    } else if (c == '\'') {
      out += "&#39;";
    } else {
      out += c;
    }
  }
  return out;
}

std::string html_sheet(const Layout& layout) {
  std::string out = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
  out +=
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
      "style-src 'unsafe-inline'\">\n";
  out += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  out += fmt::format("<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n<main>\n<header>\n",
                     escaped_html(layout.title), kStyle);
  out += fmt::format("<h1>{}</h1>\n<p class=\"faint\">{}</p>\n", escaped_html(layout.title),
                     escaped_html(layout.subtitle));
  for (const std::string& line : layout.lead) out += fmt::format("<p>{}</p>\n", shown(line));
  out += "</header>\n";
  for (const Section& section : layout.sections) write_section(out, section);
  out += "<footer>\n";
  for (const std::string& line : layout.foot) {
    out += fmt::format("<p class=\"note\">{}</p>\n", escaped_html(line));
  }
  return out + "</footer>\n</main>\n</body>\n</html>\n";
}

}  // namespace nl::sheet
