// The table of mail-triage: for people, and as JSON for programs.
//
// Both have every mail of the report exactly once. All of it is safe to show: what came from a mail
// or a model was made so where it came in. Pure; any thread.
#pragma once

#include <string>

#include "work/mail_triage.h"

namespace nl::work {

// Lines, with the urgencies as headings.
std::string triage_table(const TriageReport& report);

// One JSON object and a line end: "mails", "counts", "answered_by" and what it cost.
std::string triage_json(const TriageReport& report);

}  // namespace nl::work
