// Readiness: whether a task may fall back on a model of this machine, in words, with date and
// model.
//
// Judged from a run by the opinions in it: safe only when every example got a good enough answer,
// not yet as soon as one did not. Kept per task and target in one file, which the gateway reads as
// the floor for the task's label. Pure but for read_readiness(), which blocks on the disk.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "work/task_run.h"

namespace nl::work {

enum class Verdict : std::uint8_t { safe, not_yet };

struct Readiness {
  std::string task, label, mark;  // the task as it was when judged
  std::string target;             // provider/model of the local answers
  std::string model;              // its last part
  Verdict verdict = Verdict::not_yet;
  int good = 0, of = 0;  // examples
  std::string by;        // "you", or the judge's model
  std::string date;      // 2026-11-25
  std::string run;
};

// What a run says of each of its tasks that has a verdict; one without enough opinions has none.
std::vector<Readiness> readiness_of(const TaskRun& run);

// Why the task has no verdict in this run yet, or empty.
std::string undecided(const TaskRun& run, std::string_view task_name);

// "safe on Gemma 4 E4B (3 of 3 good enough, by you, 2026-11-25)", "not yet: try 26B (...)".
std::string readiness_words(const Readiness& readiness);

// "gemma4:e4b" -> "Gemma 4 E4B"; any other name as it is.
std::string people_name(std::string_view model);
// The next larger size of the family, or what to do instead.
std::string next_step(std::string_view model);

std::string readiness_file(const std::string& folder);
std::string readiness_json(const std::vector<Readiness>& all);
// The same as an array on one line.
std::string readiness_array(const std::vector<Readiness>& all);
// Of the store at `folder`; no file is an empty list. Errors: config, io.
Result<std::vector<Readiness>> read_readiness(const std::string& folder);

}  // namespace nl::work
