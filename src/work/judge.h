// Judge: a model's verdict on two answers, asked twice with the positions swapped.
//
// Judges like what they read first (or last): only a verdict that survives the swap counts,
// anything else is a tie. What a judge writes is untrusted: it must be one JSON object of the asked
// form, and the answers that it reads stand between marks that they cannot know. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "work/task_run.h"

namespace nl::work {

// What the judge is told to be.
std::string judge_system();
// The JSON schema of its verdict.
std::string judge_schema();
// The question, with `first`'s answer shown first. `fence`: a word that nobody can guess.
std::string judge_question(const Entry& entry, Side first, std::string_view fence);

struct JudgeSays {
  Opinion opinion;
  std::string why;
};

// Reads a judge's words; `first` as in the question. A code fence around the object is forgiven.
// Errors: not_an_answer.
Result<JudgeSays> parse_judgement(std::string_view text, Side first);

// What two readings in both orders come to; nothing unless both are there and can be used.
std::optional<Opinion> agreed(const std::vector<Reading>& readings);

}  // namespace nl::work
