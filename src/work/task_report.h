// The report of a run: for a terminal, and for programs.
//
// Every figure is the ledger's; what the ledger does not know is said in words, never shown as
// nothing. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "work/task_run.h"

namespace nl::work {

// Sums over one side of a run.
struct SideTotals {
  int asked = 0, answered = 0, unpriced = 0, uncounted = 0;
  std::int64_t duration_ms = 0, input_tokens = 0, output_tokens = 0, cost_micro_usd = 0;
};
SideTotals totals_of(const TaskRun& run, Side side);
// Of a judge's readings.
SideTotals judge_totals(const TaskRun& run);

// Whether any target that was asked did not answer.
bool has_failures(const TaskRun& run);

std::string run_text(const TaskRun& run);
// What `tasks report --json` prints: the run, its sums and the readiness it gives.
std::string report_json(const TaskRun& run);

// "mail.1 local  engine/gemma4:e4b  1.23 s ...", for a leg that has just ended.
std::string leg_line(std::string_view entry_id, Side side, const Leg& leg);
// "mail.1 judge  claude-...: no difference".
std::string judge_line(const Entry& entry);

// "1.23 s", first content and tokens and cost, as one line's parts.
std::string time_text(const Figures& figures);
std::string tokens_text(const Figures& figures);
std::string cost_text(std::int64_t micro_usd);
// "you: the cloud's is better, the local one is good enough".
std::string opinion_text(const Opinion& opinion);

}  // namespace nl::work
