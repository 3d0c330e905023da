// DrillReport: what a drill was like, step by step, from the ledger of its gateway.
//
// Every number of the page is a sum or a median over the ledger's rows, so that anybody can check
// it against the copy beside the report. Pure functions; write_drill_report() makes the files.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "drill/page.h"
#include "state/ledger.h"

namespace nl::drill {

struct DrillStep {
  std::string name;  // "tier 1 hits its limit"
  std::string cut;   // what was done to the clouds
  std::int64_t from_ms = 0;
  std::vector<std::string> failures;  // what a client saw as an error
  std::vector<std::string> notes;     // what else was seen: code word recalled, shell call run
};

struct DrillFacts {
  std::string date;  // "2026-11-25 17:30"
  std::int64_t duration_ms = 0;
  std::string verdict;  // "Passed", or why not
  std::string model;    // of the local tier
  std::string client;   // "Claude Code 2.1.330", or why there was none
  std::vector<DrillStep> steps;
  std::vector<state::RequestRow> rows;  // oldest first
};

// The sums of some rows.
struct DrillSums {
  std::int64_t requests = 0, broken = 0, input_tokens = 0, output_tokens = 0, cost_micro_usd = 0;
  std::int64_t first_words_ms = -1;  // median over the streams that said something
};
DrillSums sum_up(const std::vector<const state::RequestRow*>& rows);
// Why another target than the preferred one answered; empty = it was the preferred one.
std::string reason_of(const state::RequestRow& row);
// How long the client of `row` waited for the first words; -1 = none came or the answer was whole.
std::int64_t first_words_ms(const state::RequestRow& row);
// The rows that ended in step `at`: a cut shows in the step that made it.
std::vector<const state::RequestRow*> rows_of(const DrillFacts& facts, std::size_t at);

DrillPage drill_page(const DrillFacts& facts);

// report.md and report.html in `folder`, which is made. Errors: io.
Result<void> write_drill_report(const DrillFacts& facts, const std::string& folder);

}  // namespace nl::drill
