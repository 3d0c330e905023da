#include "app/tasks_play.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <iterator>

#include "app/policy.h"
#include "app/tasks_run.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/whole_file.h"
#include "dialect/json_writer.h"
#include "documents/document.h"
#include "router/planner.h"
#include "work/grade.h"
#include "work/readiness.h"
#include "work/shown.h"
#include "work/task_example.h"
#include "work/task_page.h"
#include "work/task_recipe.h"
#include "work/task_report.h"

namespace nl::app {
namespace {

// Answers, titles and what upstreams say are strangers' words: nothing of them steers a terminal.
void tell(std::string_view text) {
  fmt::print("{}", work::visible(text));
}

int complain(std::string_view text) {
  fmt::print(stderr, "nightlight: {}\n", work::visible(text));
  return 1;
}

// A mistake in what was asked is told from trouble with doing it.
int complain(const Error& error) {
  complain(error.message);
  return error.code == ErrorCode::config || error.code == ErrorCode::not_found ? 2 : 1;
}

}  // namespace

int Tasks::add() {
  work::Task& task = wanted_.task;
  if (!wanted_.prompt_file.empty()) {
    auto text = read_whole_file(wanted_.prompt_file, work::kTaskPromptBytesMax);
    if (!text) return complain(text.error());
    task.prompt = std::move(*text);
  }
  if (wanted_.recipe) {
    if (const auto built = work::build_on(task, *wanted_.recipe); !built) {
      return complain(built.error());
    }
  }
  for (std::string& text : wanted_.texts) task.examples.push_back({std::move(text), ""});
  const auto labels = router::task_labels();
  if (!task.label.empty() && std::find(labels.begin(), labels.end(), task.label) == labels.end()) {
    return complain(Error(ErrorCode::config, fmt::format("\"{}\" is no label: use one of {}",
                                                         task.label, fmt::join(labels, ", "))));
  }
  if (task.examples.empty() && wanted_.files.empty()) {
    return complain(
        Error(ErrorCode::config, "a task needs an example: give --input FILE or --text TEXT"));
  }
  // What nobody can read is refused now, not in the night when it is needed.
  for (const std::string& path : wanted_.files) {
    const auto document = documents::read_document(std::filesystem::path(path), {});
    if (!document) return complain(Error(ErrorCode::config, document.error().message));
  }
  const std::string name = task.name;
  const bool labelled = !task.label.empty();
  if (const auto added = store_.add(std::move(task), wanted_.files); !added) {
    return complain(added.error());
  }
  fmt::print("task {} is kept; `nightlight tasks run {}` tries it\n", name, name);
  if (!labelled) {
    fmt::print("without --label its readiness is told to you, but steers no routing\n");
  }
  return 0;
}

int Tasks::list() {
  const auto all = store_.tasks();
  if (!all) return complain(all.error());
  const auto known = store_.readiness();
  if (!known) return complain(known.error());
  std::string text;
  dialect::JsonWriter json(text);
  json.begin_object().key("tasks").begin_array();
  for (const work::Task& task : *all) {
    std::vector<work::Readiness> own;
    std::copy_if(known->begin(), known->end(), std::back_inserter(own),
                 [&](const work::Readiness& one) { return one.task == task.name; });
    json.begin_object().string("name", task.name).string("label", task.label);
    json.string("model", task.model).string("prompt", task.prompt).string("recipe", task.recipe);
    json.integer("examples", static_cast<std::int64_t>(task.examples.size()));
    const std::string array = work::readiness_array(own);
    json.raw("readiness", chat::JsonRaw{array}).end_object();
    if (wanted_.json) continue;
    tell(fmt::format("{}{}{}, {} example{}\n", task.name, task.label.empty() ? "" : "  ",
                     task.label, task.examples.size(), task.examples.size() == 1 ? "" : "s"));
    for (const work::Readiness& one : own) {
      tell(fmt::format("  {}{}\n", work::readiness_words(one),
                       one.mark == work::task_mark(task) ? "" : "; the task has changed since"));
    }
    if (own.empty()) fmt::print("  not judged yet: `nightlight tasks run {}`\n", task.name);
  }
  json.end_array().end_object();
  if (wanted_.json) {
    fmt::print("{}\n", text);
  } else if (all->empty()) {
    fmt::print(
        "No task is here yet: `nightlight tasks add --help` shows how to keep the three to "
        "five that must not stop.\n");
  }
  return 0;
}

Result<std::vector<work::Task>> Tasks::chosen() const {
  if (wanted_.names.empty()) {
    auto all = store_.tasks();
    if (all && all->empty()) {
      return fail(ErrorCode::not_found,
                  "no task is here yet: `nightlight tasks add --help` shows how to add one");
    }
    return all;
  }
  std::vector<work::Task> some;
  for (const std::string& name : wanted_.names) {
    auto one = store_.task(name);
    if (!one) return std::unexpected(one.error());
    some.push_back(std::move(*one));
  }
  return some;
}

Result<void> Tasks::answer_all(const std::vector<work::Task>& chosen_tasks,
                               const work::TaskAsking& asking, work::TaskRun& run) const {
  const Routing routing = make_routing(config_);
  for (const work::Task& task : chosen_tasks) {
    const std::string cloud = todays_cloud(routing.policy, task);
    for (const work::TaskExample& example : task.examples) {
      const auto input = work::example_input(store_, task, example);
      if (!input) {
        asking.unreadable(task, example.file, input.error().message, run);
        continue;
      }
      if (const auto asked = asking.answer(task, *input, cloud, run); !asked) return asked;
      // It was paid for: whatever ends this process, it stays.
      if (const auto saved = store_.save(run); !saved) return saved;
    }
  }
  return wanted_.judge.empty() ? Result<void>() : judge_all(asking, run);
}

int Tasks::run() {
  const auto tasks_to_run = chosen();
  if (!tasks_to_run) return complain(tasks_to_run.error());
  const auto gateway = TaskGateway::reach(options_, config_);
  if (!gateway) return complain(gateway.error().message);
  const WallTime now = SystemClock().wall();
  work::TaskRun run;
  run.started_unix_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
  run.id = store_.free_run_id(
      fmt::format("{:%Y-%m-%d-%H%M%S}", fmt::localtime(std::chrono::system_clock::to_time_t(now))));
  run.seed = wanted_.seed.value_or(random_u64());
  const auto done = answer_all(*tasks_to_run, work::TaskAsking(gateway->parts()), run);
  if (!done && run.entries.empty()) return complain(done.error().message);
  // What was answered before a Ctrl-C is worth keeping.
  if (const auto kept = keep(run); !kept) return complain(kept.error().message);
  if (wanted_.json) {
    fmt::print("{}", work::report_json(run));
  } else {
    tell(work::run_text(run));
    fmt::print(
        "\nside by side and blinded: {}\n`nightlight tasks grade` asks you for your grades here\n",
        page_path(run));
  }
  if (!done) return complain(done.error().message);
  return work::has_failures(run) ? 1 : 0;
}

int Tasks::report() {
  const auto run = store_.run(wanted_.run);
  if (!run) return complain(run.error());
  if (!wanted_.html.empty()) {
    const auto written = write_whole_file(wanted_.html, work::task_page(*run));
    if (!written) return complain(written.error().message);
  }
  if (wanted_.json) {
    fmt::print("{}", work::report_json(*run));
  } else {
    tell(work::run_text(*run));
  }
  return 0;
}

Result<void> Tasks::judge_all(const work::TaskAsking& asking, work::TaskRun& run) const {
  for (work::Entry& entry : run.entries) {
    if (const auto judged = asking.judge(entry, wanted_.judge); !judged) return judged;
  }
  return {};
}

// Every grade is kept at once: whoever stops in the middle goes on there.
Result<void> Tasks::talk(work::TaskRun& run) const {
  const work::GradeTalk talk{[](std::string_view text) {
                               tell(text);
                               std::fflush(stdout);
                             },
                             []() -> std::optional<std::string> {
                               std::string line;
                               if (!std::getline(std::cin, line)) return std::nullopt;
                               return line;
                             }};
  int asked = 0;
  for (work::Entry& entry : run.entries) {
    if (entry.user || work::gradable(entry) == work::Gradable::nothing) continue;
    ++asked;
    const work::TalkGoes goes = work::grade_entry(entry, talk);
    if (const auto saved = store_.save(run); !saved) return saved;
    if (goes == work::TalkGoes::ends) break;
  }
  fmt::print("{}\n", asked == 0 ? "nothing is left to grade; TASK.N=GRADE changes a grade" : "");
  return {};
}

int Tasks::grade() {
  auto run = store_.run(wanted_.run);
  if (!run) return complain(run.error());
  for (const std::string& word : wanted_.grades) {
    if (const auto applied = work::apply_grade(*run, word); !applied) {
      return complain(applied.error());
    }
  }
  Result<void> done;
  if (!wanted_.judge.empty()) {
    const auto gateway = TaskGateway::reach(options_, config_);
    if (!gateway) return complain(gateway.error().message);
    done = judge_all(work::TaskAsking(gateway->parts()), *run);
  } else if (wanted_.grades.empty()) {
    done = talk(*run);
  }
  const auto kept = keep(*run);
  if (!kept) return complain(kept.error().message);
  if (wanted_.json) {
    fmt::print("{}", work::report_json(*run));
  } else {
    tell(work::run_text(*run));
  }
  if (!done) return complain(done.error().message);
  const auto verdicts = work::readiness_of(*run);
  const bool steers = std::any_of(verdicts.begin(), verdicts.end(),
                                  [](const work::Readiness& one) { return !one.label.empty(); });
  if (steers && !wanted_.json) {
    fmt::print("\na gateway that runs goes by this from now on\n");
  }
  return 0;
}

int Tasks::remove() {
  for (const std::string& name : wanted_.names) {
    if (const auto gone = store_.remove(name); !gone) return complain(gone.error());
    fmt::print("task {} is gone; its runs stay\n", name);
  }
  return 0;
}

// The run, its page and what it says of readiness.
Result<void> Tasks::keep(const work::TaskRun& run) const {
  if (const auto saved = store_.save(run); !saved) return saved;
  if (const auto page = write_whole_file(page_path(run), work::task_page(run)); !page) return page;
  std::vector<work::Readiness> fresh = work::readiness_of(run);
  // An old run says nothing of a task that has been removed since.
  std::erase_if(fresh, [this](const work::Readiness& one) {
    const auto task = store_.task(one.task);
    return !task && task.error().code == ErrorCode::not_found;
  });
  return store_.keep(fresh);
}

}  // namespace nl::app
