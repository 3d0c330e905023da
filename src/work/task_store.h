// TaskStore: the user's tasks, their runs and what is known of their readiness, on disk.
//
//   FOLDER/NAME/task.json, FOLDER/NAME/inputs/   a task and copies of its example files
//   FOLDER/runs/ID/run.json, report.html         a run
//   FOLDER/readiness.json                        what the gateway reads as floors
// Blocks on the disk; one process changes it at a time (the last writer wins). Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "work/readiness.h"
#include "work/task.h"
#include "work/task_run.h"

namespace nl::work {

inline constexpr std::size_t kTasksMax = 50;
inline constexpr std::size_t kExampleBytesMax = 16U << 20;

class TaskStore {
 public:
  explicit TaskStore(std::string folder) : folder_(std::move(folder)) {}

  // By name; one that cannot be read is an error that names its file.
  Result<std::vector<Task>> tasks() const;
  // Errors: not_found (the message lists those there are), config, io.
  Result<Task> task(std::string_view task_name) const;
  // Adds `task` with its texts and copies `files` behind them as further examples. Errors: config
  // (a task of that name exists, or too many), not_found and io (of a file).
  Result<void> add(Task task, const std::vector<std::string>& files) const;
  // The task and its readiness; runs stay. Errors: not_found, io.
  Result<void> remove(std::string_view task_name) const;
  std::string example_path(const Task& task, const TaskExample& example) const;

  Result<void> save(const TaskRun& run) const;
  // By id, or the newest for "last". Errors: not_found, config, io.
  Result<TaskRun> run(std::string_view id) const;
  std::string run_folder(const TaskRun& run) const { return folder_ + "/runs/" + run.id; }
  // `id`, or with a number behind it when there is such a run already.
  std::string free_run_id(const std::string& id) const;

  // Nothing kept yet is an empty list. Errors: config, io.
  Result<std::vector<Readiness>> readiness() const;
  // Puts each in the place of what an earlier run, or this one, has shown of the same task and
  // target.
  Result<void> keep(const std::vector<Readiness>& fresh) const;

 private:
  std::string readiness_path() const { return readiness_file(folder_); }

  std::string folder_;
};

}  // namespace nl::work
