// TaskAsking: runs tasks: every example to the local tier and to the cloud, one after the other,
// and a judge's readings of what came back.
//
// Reaches models only by what it is given, which is the gateway's own endpoint, and takes every
// figure from the ledger. A target that does not answer leaves its reason in the run; nothing is
// skipped, and an answer of the other tier never stands in for one. Blocking; one thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "documents/document.h"
#include "work/endpoint.h"
#include "work/task.h"
#include "work/task_run.h"

namespace nl::work {

struct Asked {
  std::string request_id;  // known also for most failures
  Result<Reply> reply;
};

// An example as it is put into a prompt.
struct ExampleInput {
  std::string title;  // a file's name, or the text's beginning
  std::string text;
  std::vector<documents::Image> images;
};

struct AskingParts {
  std::function<Asked(const Prompt&)> ask;
  std::function<Result<Figures>(const std::string& request_id)> figures;
  std::function<void(std::string_view)> say;  // progress, line by line
};

class TaskAsking {
 public:
  explicit TaskAsking(AskingParts parts) : parts_(std::move(parts)) {}

  // Both answers to one example, as a new entry of the run. `cloud`: the route of today's answer.
  // Errors: cancelled; whatever else goes wrong is in the entry.
  Result<void> answer(const Task& task, const ExampleInput& input, const std::string& cloud,
                      TaskRun& run) const;
  // The entry of an example that cannot be read, so that nobody could be asked.
  void unreadable(const Task& task, const std::string& title, const std::string& why,
                  TaskRun& run) const;

  // Asks `judge` (a model's name, or a target with a slash) twice about an entry that has both
  // answers; any other entry is left as it is. Errors: cancelled.
  Result<void> judge(Entry& entry, const std::string& judge_name) const;

 private:
  Result<Leg> ask_leg(const Prompt& prompt) const;
  Result<Reading> read_once(const Entry& entry, const std::string& judge_name, Side first) const;

  AskingParts parts_;
};

}  // namespace nl::work
