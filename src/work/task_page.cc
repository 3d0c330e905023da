#include "work/task_page.h"

#include <fmt/format.h>

#include <iterator>
#include <string_view>
#include <vector>

#include "work/grade.h"
#include "work/readiness.h"
#include "work/task_report.h"

namespace nl::work {
namespace {

using Out = std::back_insert_iterator<std::string>;

constexpr std::string_view kHead = R"(<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<style>
:root{color-scheme:light dark;--ink:#1d2430;--paper:#fbfaf7;--line:#d9d5cb;--soft:#f1eee6}
@media(prefers-color-scheme:dark){
:root{--ink:#e4e1d8;--paper:#14171d;--line:#343a45;--soft:#1d222b}}
*{box-sizing:border-box}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);
max-width:76rem;margin:2rem auto;padding:0 1rem}
h1,h2,h3{line-height:1.2}h2{margin-top:2.4rem}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,24rem),1fr));gap:1rem}
.answer{border:1px solid var(--line);padding:.6rem .8rem;min-width:0}
.text{white-space:pre-wrap;overflow-wrap:anywhere}
.failed{border-left:4px solid #b3261e;padding-left:.8rem}
fieldset{border:1px solid var(--line);margin:1rem 0}label{display:block}
.fold{overflow-x:auto}table{border-collapse:collapse;font-size:.9rem;width:100%}
th,td{border:1px solid var(--line);padding:.35rem .6rem;text-align:left;vertical-align:top}
th{background:var(--soft)}code{overflow-wrap:anywhere}
#line{display:block;background:var(--soft);padding:.6rem;white-space:pre-wrap}
</style>
)";

// Writes the words of what is chosen; the page works without it, by the values that stand beside
// the buttons.
constexpr std::string_view kScript = R"(<script>
const line=document.getElementById("line"),start=line.textContent;
document.addEventListener("change",()=>{
const chosen=[...document.querySelectorAll("input:checked")].map(i=>i.name+"="+i.value);
line.textContent=start+(chosen.length?" "+chosen.join(" "):"");});
</script>
)";

std::string html(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    if (c == '&') {
      safe += "&amp;";
    } else if (c == '<') {
      safe += "&lt;";
    } else if (c == '>') {
      safe += "&gt;";
    } else if (c == '"') {
      safe += "&quot;";
    } else {
      safe += c;
    }
  }
  return safe;
}

struct Choice {
  std::string_view value;
  std::string_view words;
};
constexpr Choice kOnBoth[] = {{"a", "A is better, and B is not good enough"},
                              {"a,ok", "A is better, but B is good enough as well"},
                              {"same", "no difference, both are good enough"},
                              {"b,ok", "B is better, but A is good enough as well"},
                              {"b", "B is better, and A is not good enough"},
                              {"none", "neither is good enough"}};
constexpr Choice kOnLocal[] = {{"ok", "good enough for this task"}, {"no", "not good enough"}};

template <std::size_t N>
void write_choices(Out out, const Entry& entry, const Choice (&choices)[N]) {
  fmt::format_to(out, "<fieldset><legend>Your grade</legend>\n");
  for (const Choice& choice : choices) {
    fmt::format_to(out,
                   "<label><input type=\"radio\" name=\"{}\" value=\"{}\"> {} "
                   "(<code>{}={}</code>)</label>\n",
                   html(entry.id()), choice.value, choice.words, html(entry.id()), choice.value);
  }
  fmt::format_to(out, "</fieldset>\n");
}

void write_answer(Out out, std::string_view title, const std::string& text) {
  fmt::format_to(out, "<div class=\"answer\"><h3>{}</h3><div class=\"text\">{}</div></div>\n",
                 title, html(text));
}

void write_failure(Out out, std::string_view who, const Leg& leg) {
  fmt::format_to(out, "<p class=\"failed\">{} did not answer: {}</p>\n", who, html(leg.trouble));
}

void write_row(Out out, std::string_view who, const Leg& leg) {
  if (!leg.figures) {
    fmt::format_to(out, "<tr><td>{}</td><td colspan=\"5\">{}</td></tr>\n", who,
                   leg.answered() ? "" : html(leg.trouble));
    return;
  }
  const std::string lack = leg.note.empty() ? "" : "; " + leg.note;
  fmt::format_to(out,
                 "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td>"
                 "<td><code>{}</code></td></tr>\n",
                 who, html(leg.answered() ? leg.figures->target() + lack : leg.trouble),
                 time_text(*leg.figures), tokens_text(*leg.figures),
                 cost_text(leg.figures->cost_micro_usd), html(leg.request_id));
}

void write_reveal(Out out, const Entry& entry) {
  fmt::format_to(out,
                 "<details><summary>Reveal: who wrote which, in what time, at what cost</summary>"
                 "<div class=\"fold\"><table>\n<tr><th></th><th>target</th><th>time</th>"
                 "<th>tokens</th><th>cost</th><th>request</th></tr>\n");
  const bool both = gradable(entry) == Gradable::both;
  const auto who = [&](Side side) {
    const char* tier = side == Side::local ? "local" : "cloud";
    return both ? fmt::format("{} ({})", side == entry.first ? "A" : "B", tier) : tier;
  };
  write_row(out, who(entry.first), entry.leg(entry.first));
  write_row(out, who(other(entry.first)), entry.leg(other(entry.first)));
  fmt::format_to(out, "</table></div>\n");
  if (entry.user) fmt::format_to(out, "<p>You: {}.</p>\n", opinion_text(*entry.user));
  if (!entry.judge.empty()) fmt::format_to(out, "<p>Judge {}.</p>\n", html(judge_line(entry)));
  fmt::format_to(out, "</details>\n");
}

void write_entry(Out out, const Entry& entry) {
  fmt::format_to(out, "<h2>{}</h2>\n<p>{}</p>\n", html(entry.id()), html(entry.title));
  fmt::format_to(out,
                 "<details><summary>The task</summary><div class=\"text\">{}</div></details>\n",
                 html(entry.prompt));
  if (!entry.local.answered()) write_failure(out, "The local tier", entry.local);
  if (!entry.cloud.answered()) write_failure(out, "The cloud", entry.cloud);
  switch (gradable(entry)) {
    case Gradable::both:
      fmt::format_to(out, "<div class=\"pair\">\n");
      write_answer(out, "A", entry.leg(entry.first).answer);
      write_answer(out, "B", entry.leg(other(entry.first)).answer);
      fmt::format_to(out, "</div>\n");
      write_choices(out, entry, kOnBoth);
      break;
    case Gradable::local_alone:
      write_answer(out, "The local answer", entry.local.answer);
      write_choices(out, entry, kOnLocal);
      break;
    case Gradable::nothing:
      break;
  }
  write_reveal(out, entry);
}

void write_verdicts(Out out, const TaskRun& run) {
  const std::vector<Readiness> verdicts = readiness_of(run);
  if (verdicts.empty()) return;
  fmt::format_to(out, "<details><summary>Readiness, by the grades so far</summary><ul>\n");
  for (const Readiness& verdict : verdicts) {
    fmt::format_to(out, "<li>{}: {}</li>\n", html(verdict.task), html(readiness_words(verdict)));
  }
  fmt::format_to(out, "</ul></details>\n");
}

}  // namespace

std::string task_page(const TaskRun& run) {
  std::string page(kHead);
  Out out(page);
  fmt::format_to(out, "<title>Fallback tasks, run {0}</title>\n<h1>Fallback tasks, run {0}</h1>\n",
                 html(run.id));
  fmt::format_to(out,
                 "<p>Each example was answered by the local tier and by the cloud. A and B are in "
                 "an order that says nothing. Choose a grade for each, then run the line at the "
                 "end.</p>\n");
  for (const Entry& entry : run.entries) write_entry(out, entry);
  write_verdicts(out, run);
  fmt::format_to(out,
                 "<h2>Your grades</h2>\n<p>Run this; it keeps the grades and what follows from "
                 "them:</p>\n<code id=\"line\">nightlight tasks grade --run {}</code>\n",
                 html(run.id));
  page += kScript;
  return page + "</html>\n";
}

}  // namespace nl::work
