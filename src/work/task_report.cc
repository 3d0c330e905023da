#include "work/task_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <vector>

#include "dialect/json_writer.h"
#include "work/readiness.h"
#include "work/task.h"

namespace nl::work {
namespace {

using Out = std::back_insert_iterator<std::string>;

std::string seconds(std::int64_t ms) {
  return fmt::format("{:.2f} s", static_cast<double>(ms) / 1000);
}

void add(SideTotals& totals, const Leg& leg) {
  ++totals.asked;
  if (leg.answered()) ++totals.answered;
  if (!leg.figures) return;
  const Figures& figures = *leg.figures;
  totals.duration_ms += std::max<std::int64_t>(figures.duration_ms, 0);
  totals.input_tokens += std::max<std::int64_t>(figures.input_tokens, 0);
  totals.output_tokens += std::max<std::int64_t>(figures.output_tokens, 0);
  totals.cost_micro_usd += std::max<std::int64_t>(figures.cost_micro_usd, 0);
  if (figures.cost_micro_usd < 0 && leg.answered()) ++totals.unpriced;
  if (figures.input_tokens < 0 && leg.answered()) ++totals.uncounted;
}

std::string totals_text(const SideTotals& totals) {
  std::string text = fmt::format("{} of {} answered, {}, {} in, {} out, {}", totals.answered,
                                 totals.asked, seconds(totals.duration_ms), totals.input_tokens,
                                 totals.output_tokens, cost_text(totals.cost_micro_usd));
  if (totals.unpriced > 0) text += fmt::format(" and {} unpriced", totals.unpriced);
  if (totals.uncounted > 0) text += fmt::format("; {} without a token count", totals.uncounted);
  return text;
}

void write_totals(dialect::JsonWriter& json, std::string_view key, const SideTotals& totals) {
  json.key(key)
      .begin_object()
      .integer("asked", totals.asked)
      .integer("answered", totals.answered)
      .integer("duration_ms", totals.duration_ms)
      .integer("input_tokens", totals.input_tokens)
      .integer("output_tokens", totals.output_tokens)
      .integer("cost_micro_usd", totals.cost_micro_usd)
      .integer("unpriced", totals.unpriced)
      .end_object();
}

std::string leg_text(const Leg& leg) {
  std::string text;
  if (!leg.answered()) text = "FAILED: " + leg.trouble;
  if (!leg.figures) return text;
  const Figures& figures = *leg.figures;
  const std::string numbers = fmt::format("{}  {}, {}, {}", figures.target(), time_text(figures),
                                          tokens_text(figures), cost_text(figures.cost_micro_usd));
  if (leg.answered()) return numbers + (leg.note.empty() ? "" : "; " + leg.note);
  return text + fmt::format(" (after {})", seconds(std::max<std::int64_t>(figures.duration_ms, 0)));
}

std::vector<std::string> task_names(const TaskRun& run) {
  std::vector<std::string> names;
  for (const Entry& entry : run.entries) {
    if (std::find(names.begin(), names.end(), entry.task) == names.end()) {
      names.push_back(entry.task);
    }
  }
  return names;
}

void write_entry(Out out, const Entry& entry) {
  fmt::format_to(out, "  {}  {}\n", entry.id(), entry.title);
  fmt::format_to(out, "    local  {}\n    cloud  {}\n", leg_text(entry.local),
                 leg_text(entry.cloud));
  if (entry.user) fmt::format_to(out, "    you    {}\n", opinion_text(*entry.user));
  if (!entry.judge.empty()) fmt::format_to(out, "    judge  {}\n", judge_line(entry));
}

}  // namespace

SideTotals totals_of(const TaskRun& run, Side side) {
  SideTotals totals;
  for (const Entry& entry : run.entries) add(totals, entry.leg(side));
  return totals;
}

SideTotals judge_totals(const TaskRun& run) {
  SideTotals totals;
  for (const Entry& entry : run.entries) {
    for (const Reading& reading : entry.readings) add(totals, reading.leg);
  }
  return totals;
}

bool has_failures(const TaskRun& run) {
  return std::any_of(run.entries.begin(), run.entries.end(), [](const Entry& entry) {
    return !entry.local.answered() || !entry.cloud.answered();
  });
}

std::string run_text(const TaskRun& run) {
  std::string text;
  Out out(text);
  const std::vector<Readiness> verdicts = readiness_of(run);
  fmt::format_to(out, "run {}, blinded orders of seed {}\n", run.id, run.seed);
  for (const std::string& task : task_names(run)) {
    fmt::format_to(out, "\n{}\n", task);
    for (const Entry& entry : run.entries) {
      if (entry.task == task) write_entry(out, entry);
    }
    for (const Readiness& verdict : verdicts) {
      if (verdict.task == task) fmt::format_to(out, "  {}\n", readiness_words(verdict));
    }
    const std::string open = undecided(run, task);
    if (!open.empty()) fmt::format_to(out, "  {}\n", open);
  }
  fmt::format_to(out, "\nlocal  {}\ncloud  {}\n", totals_text(totals_of(run, Side::local)),
                 totals_text(totals_of(run, Side::cloud)));
  const SideTotals judged = judge_totals(run);
  if (judged.asked > 0) fmt::format_to(out, "judge  {}\n", totals_text(judged));
  return text;
}

std::string report_json(const TaskRun& run) {
  std::string text;
  dialect::JsonWriter json(text);
  json.begin_object().members(run_members(run)).key("totals").begin_object();
  write_totals(json, "local", totals_of(run, Side::local));
  write_totals(json, "cloud", totals_of(run, Side::cloud));
  write_totals(json, "judge", judge_totals(run));
  json.end_object();
  const std::string known = readiness_array(readiness_of(run));
  json.raw("readiness", chat::JsonRaw{known}).end_object();
  return indented(text);
}

std::string leg_line(std::string_view entry_id, Side side, const Leg& leg) {
  return fmt::format("{} {}  {}", entry_id, name(side), leg_text(leg));
}

std::string judge_line(const Entry& entry) {
  if (entry.judged) {
    const bool swapped = entry.readings.size() == 2 && entry.readings[0].says &&
                         entry.readings[1].says &&
                         entry.readings[0].says->better != entry.readings[1].says->better;
    return fmt::format("{}: {}{}", entry.judge, opinion_text(*entry.judged),
                       swapped ? " (its choice changed with the order, so it counts as none)" : "");
  }
  for (const Reading& reading : entry.readings) {
    if (!reading.leg.answered()) return fmt::format("{}: {}", entry.judge, reading.leg.trouble);
  }
  return fmt::format("{}: no verdict", entry.judge);
}

std::string time_text(const Figures& figures) {
  if (figures.duration_ms < 0) return "no time known";
  std::string text = seconds(figures.duration_ms);
  if (figures.first_ms >= 0) text += fmt::format(" (first word {})", seconds(figures.first_ms));
  return text;
}

std::string tokens_text(const Figures& figures) {
  if (figures.input_tokens < 0 && figures.output_tokens < 0) return "tokens not told";
  return fmt::format("{} in, {} out{}", std::max<std::int64_t>(figures.input_tokens, 0),
                     std::max<std::int64_t>(figures.output_tokens, 0),
                     figures.estimated ? " (estimated)" : "");
}

std::string cost_text(std::int64_t micro_usd) {
  if (micro_usd < 0) return "unpriced";
  std::string text = fmt::format("${:.6f}", static_cast<double>(micro_usd) / 1e6);
  // All that the ledger has, at least cents.
  while (text.ends_with('0') && text.size() > text.find('.') + 3) text.pop_back();
  return text;
}

std::string opinion_text(const Opinion& opinion) {
  const char* local =
      opinion.local_ok ? "the local one is good enough" : "the local one is not good enough";
  switch (opinion.better) {
    case Better::local:
      return opinion.local_ok ? "the local one is better"
                              : "the local one is better, but not good "
                                "enough";
    case Better::cloud:
      return fmt::format("the cloud's is better, {}", local);
    case Better::same:
      return fmt::format("no difference, {}", local);
  }
  return local;
}

}  // namespace nl::work
