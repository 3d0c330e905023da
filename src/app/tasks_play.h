// Tasks: what each of the subcommands of `tasks` does, once its arguments are read.
//
// Each prints and gives the exit status: 0 done, 1 done but a target failed or trouble, 2 a mistake
// in what was asked. Main thread, blocking.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/cli.h"
#include "config/config.h"
#include "work/recipe.h"
#include "work/task.h"
#include "work/task_asking.h"
#include "work/task_run.h"
#include "work/task_store.h"

namespace nl::app {

struct TasksWanted {
  work::Task task;  // add
  std::optional<work::Recipe> recipe;
  std::string prompt_file;
  std::vector<std::string> files, texts;
  std::vector<std::string> names;  // run
  std::string judge;
  std::optional<std::uint64_t> seed;
  std::string run = "last";  // report, grade
  std::vector<std::string> grades;
  std::string html;
  bool json = false;
};

class Tasks {
 public:
  Tasks(const CliOptions& options, config::Config config, TasksWanted wanted)
      : options_(options),
        config_(std::move(config)),
        wanted_(std::move(wanted)),
        store_(config_.state_dir + "/tasks") {}

  int add();
  int list();
  int run();
  int report();
  int grade();
  int remove();

 private:
  Result<std::vector<work::Task>> chosen() const;
  Result<void> answer_all(const std::vector<work::Task>& chosen_tasks,
                          const work::TaskAsking& asking, work::TaskRun& run) const;
  Result<void> judge_all(const work::TaskAsking& asking, work::TaskRun& run) const;
  Result<void> talk(work::TaskRun& run) const;
  Result<void> keep(const work::TaskRun& run) const;
  std::string page_path(const work::TaskRun& run) const {
    return store_.run_folder(run) + "/report.html";
  }

  const CliOptions& options_;
  config::Config config_;
  TasksWanted wanted_;
  work::TaskStore store_;
};

}  // namespace nl::app
