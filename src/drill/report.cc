#include "drill/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

namespace nl::drill {
namespace {

using Rows = std::vector<const state::RequestRow*>;

std::string ms_text(std::int64_t ms) {
  return ms < 0 ? "-" : fmt::format("{} ms", ms);
}

std::string usd_text(std::int64_t micro_usd) {
  return fmt::format("${:.6f}", static_cast<double>(micro_usd) / 1e6);
}

std::string tier_text(const std::string& tier) {
  if (tier == "frontier") return "1 frontier";
  if (tier == "router") return "2 router";
  return tier == "local" ? "3 local" : "nobody";
}

// "4 x tier 2 router, 2 x tier 3 local"
std::string who_answered(const Rows& rows) {
  std::map<std::string, int> counts;
  for (const auto* row : rows) ++counts[tier_text(row->tier)];
  std::string text;
  for (const auto& [tier, count] : counts) {
    text += fmt::format("{}{} x {}", text.empty() ? "" : ", ", count, tier);
  }
  return text.empty() ? "-" : text;
}

Rows all_rows(const DrillFacts& facts) {
  Rows rows;
  for (const state::RequestRow& row : facts.rows) rows.push_back(&row);
  return rows;
}

// A client that went away by itself was not let down.
bool is_broken(const state::RequestRow& row) {
  return row.outcome != "ok" && row.outcome != "client_gone";
}

int errors_of(const DrillFacts& facts) {
  std::size_t errors = 0;
  for (const DrillStep& step : facts.steps) errors += step.failures.size();
  return static_cast<int>(errors);
}

PageTable step_table(const DrillFacts& facts) {
  PageTable table;
  table.head = {"Step",
                "What was cut",
                "Requests",
                "Answered by",
                "First words before",
                "First words after",
                "Broken off",
                "Client errors",
                "Tokens in",
                "Tokens out",
                "Cost"};
  std::int64_t before = -1;
  for (std::size_t at = 0; at < facts.steps.size(); ++at) {
    const DrillStep& step = facts.steps[at];
    const Rows rows = rows_of(facts, at);
    const DrillSums sums = sum_up(rows);
    table.rows.push_back({fmt::format("{}. {}", at + 1, step.name), step.cut,
                          std::to_string(sums.requests), who_answered(rows), ms_text(before),
                          ms_text(sums.first_words_ms), std::to_string(sums.broken),
                          std::to_string(step.failures.size()), std::to_string(sums.input_tokens),
                          std::to_string(sums.output_tokens), usd_text(sums.cost_micro_usd)});
    if (sums.first_words_ms >= 0) before = sums.first_words_ms;
  }
  const DrillSums sums = sum_up(all_rows(facts));
  table.rows.push_back({"All", "", std::to_string(sums.requests), who_answered(all_rows(facts)), "",
                        ms_text(sums.first_words_ms), std::to_string(sums.broken),
                        std::to_string(errors_of(facts)), std::to_string(sums.input_tokens),
                        std::to_string(sums.output_tokens), usd_text(sums.cost_micro_usd)});
  return table;
}

PageTable request_table(const DrillFacts& facts) {
  PageTable table;
  table.head = {"Request",     "Step",     "Dialect",   "Form",
                "Outcome",     "Tier",     "Target",    "Why not the preferred",
                "First words", "Duration", "Tokens in", "Tokens out"};
  for (std::size_t at = 0; at < facts.steps.size(); ++at) {
    for (const auto* row : rows_of(facts, at)) {
      table.rows.push_back(
          {row->id, std::to_string(at + 1), row->dialect, row->stream ? "stream" : "whole",
           row->outcome, tier_text(row->tier), row->provider + "/" + row->model,
           reason_of(*row).empty() ? "-" : reason_of(*row), ms_text(first_words_ms(*row)),
           ms_text(row->duration_ms), std::to_string(row->usage.input_total()),
           std::to_string(row->usage.output.value_or(0))});
    }
  }
  return table;
}

std::vector<std::string> losses(const DrillFacts& facts) {
  std::int64_t broken = 0;
  std::int64_t broken_tokens = 0;
  std::int64_t abroad = 0;
  std::int64_t paid = 0;
  std::int64_t local = 0;
  for (const state::RequestRow& row : facts.rows) {
    if (is_broken(row)) {
      ++broken;
      broken_tokens += row.usage.output.value_or(0);
    }
    if (row.tier == "router") ++abroad;
    if (row.paid_failover && row.cost_micro_usd > 0) paid += row.cost_micro_usd;
    if (row.tier == "local") ++local;
  }
  return {
      fmt::format("{} answers broke after their first words ({} tokens counted by then). Nothing "
                  "is made up in such a place: the client is told, asks again and gets the whole "
                  "answer from the next target.",
                  broken, broken_tokens),
      fmt::format("{} requests went to another vendor (tier 2): it would have seen these prompts, "
                  "and at list prices the failover would have cost {}.",
                  abroad, usd_text(paid)),
      fmt::format(
          "{} requests were answered by {}. It shows that the way is open and does no work: "
          "with all cloud gone, everything but that would have been lost here. For work in "
          "the dark give the local tier a real model (`nightlight up --model FILE`).",
          local, facts.model),
  };
}

std::vector<std::string> real_things(const DrillFacts& facts) {
  return {
      "the gateway: this program as a process of its own, with its own configuration, port, home "
      "and ledger",
      "the local engine: llama-server as the gateway's supervised child, with the model " +
          facts.model,
      "the cuts: a cloud that is dark has closed its port and every connection, in the middle of a "
      "sentence too",
      "the client: " + facts.client,
      "every number below: from the drill gateway's ledger, a copy of which lies beside this page",
  };
}

std::vector<std::string> stand_ins() {
  return {
      "tier 1: a script on this machine that speaks Anthropic Messages, slowly. No Anthropic model "
      "was asked and no key was used",
      "tier 2: a script on this machine that speaks OpenAI Chat Completions under OpenRouter's "
      "name",
      "the subscription limit: the vendor's own words, with a reset after seconds instead of hours",
      "costs: list prices for the tokens that the scripts claim; nothing was paid",
      "first words: of scripts without a network between; a real cloud takes longer",
  };
}

Result<void> write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file) return fail(ErrorCode::io, path + ": cannot be written");
  return {};
}

}  // namespace

std::string reason_of(const state::RequestRow& row) {
  const std::string target = row.provider + "/" + row.model;
  if (!row.reason.empty() || row.preferred.empty() || row.preferred == target) return row.reason;
  // The plan itself put it behind the one that answered.
  return row.preferred + " broke off in this conversation and goes last in it";
}

std::int64_t first_words_ms(const state::RequestRow& row) {
  if (!row.stream || row.attempts.empty()) return -1;
  const state::AttemptRow& last = row.attempts.back();
  return last.first_content_ms < 0 ? -1 : last.started_ms + last.first_content_ms;
}

std::vector<const state::RequestRow*> rows_of(const DrillFacts& facts, std::size_t at) {
  // What came before the first step and after the last one belongs to these.
  const bool last = at + 1 == facts.steps.size();
  Rows rows;
  for (const state::RequestRow& row : facts.rows) {
    const std::int64_t ended_ms = row.started_unix_ms + row.duration_ms;
    if (at > 0 && ended_ms < facts.steps[at].from_ms) continue;
    if (!last && ended_ms >= facts.steps[at + 1].from_ms) continue;
    rows.push_back(&row);
  }
  return rows;
}

DrillSums sum_up(const std::vector<const state::RequestRow*>& rows) {
  DrillSums sums;
  std::vector<std::int64_t> waits;
  for (const auto* row : rows) {
    ++sums.requests;
    sums.broken += is_broken(*row) ? 1 : 0;
    sums.input_tokens += row->usage.input_total();
    sums.output_tokens += row->usage.output.value_or(0);
    sums.cost_micro_usd += std::max<std::int64_t>(row->cost_micro_usd, 0);
    if (const std::int64_t wait = first_words_ms(*row); wait >= 0) waits.push_back(wait);
  }
  std::sort(waits.begin(), waits.end());
  if (!waits.empty()) sums.first_words_ms = waits[(waits.size() - 1) / 2];
  return sums;
}

DrillPage drill_page(const DrillFacts& facts) {
  DrillPage page;
  page.title = "Blackout drill of " + facts.date;
  page.parts.push_back(PageText{fmt::format(
      "{}: {} requests in {:.1f} s, {} client-visible errors. {} answers broke off after their "
      "first words, and the client asked again.",
      facts.verdict, facts.rows.size(), static_cast<double>(facts.duration_ms) / 1000,
      errors_of(facts), sum_up(all_rows(facts)).broken)});
  page.parts.push_back(PageHeading{2, "What was real"});
  page.parts.push_back(PageList{real_things(facts)});
  page.parts.push_back(PageHeading{2, "What was a stand-in"});
  page.parts.push_back(PageList{stand_ins()});
  page.parts.push_back(PageHeading{2, "Step by step"});
  page.parts.push_back(step_table(facts));
  for (std::size_t at = 0; at < facts.steps.size(); ++at) {
    const DrillStep& step = facts.steps[at];
    if (step.notes.empty() && step.failures.empty()) continue;
    page.parts.push_back(PageHeading{3, fmt::format("{}. {}", at + 1, step.name)});
    std::vector<std::string> items = step.notes;
    for (const std::string& failure : step.failures) items.push_back("FAILED: " + failure);
    page.parts.push_back(PageList{std::move(items)});
  }
  page.parts.push_back(PageHeading{2, "What would be lost"});
  page.parts.push_back(PageList{losses(facts)});
  page.parts.push_back(PageHeading{2, "Every request"});
  page.parts.push_back(PageText{
      "First words: the median over the streams of a step; until the first words of the answer "
      "reached the client, failed attempts included. Broken off: the ledger's requests that did "
      "not end well, each of which the client asked again."});
  page.parts.push_back(request_table(facts));
  return page;
}

Result<void> write_drill_report(const DrillFacts& facts, const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return fail(ErrorCode::io, folder + ": " + error.message());
  const DrillPage page = drill_page(facts);
  if (const auto written = write_file(folder + "/report.md", page_markdown(page)); !written) {
    return written;
  }
  return write_file(folder + "/report.html", page_html(page));
}

}  // namespace nl::drill
