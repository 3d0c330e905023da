// Grading: the user's opinion of two answers whose makers are not shown.
//
// The words "mail.1=b,ok" of the command line (the HTML report writes them for the user), and the
// same as a talk on a terminal. A and B are the entry's blinded order; only this room turns them
// back into local and cloud. Pure but for the talk's two functions.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "work/task_run.h"

namespace nl::work {

// What an entry can be graded for: both answers, the local one alone (there is nothing to compare
// it with), or nothing at all.
enum class Gradable : std::uint8_t { both, local_alone, nothing };
Gradable gradable(const Entry& entry);

// Applies one word to the run. For two answers: a | b (that one is better, and the other is not
// good enough), a,ok | b,ok (better, but the other is good enough as well), same (no difference,
// both good enough), none (neither is). For a local answer alone: ok | no. Errors: config.
Result<void> apply_grade(TaskRun& run, std::string_view word);

// One line of the user's, without its end; nothing = no more come.
struct GradeTalk {
  std::function<void(std::string_view)> say;
  std::function<std::optional<std::string>()> hear;
};

// Whether the talk goes on with the next entry.
enum class TalkGoes : std::uint8_t { on, ends };

// Shows one entry and asks for its grade; sets entry.user unless it was skipped.
TalkGoes grade_entry(Entry& entry, const GradeTalk& talk);

}  // namespace nl::work
