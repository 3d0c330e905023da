#include "app/tasks_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>
#include <utility>

#include "app/own_commands.h"
#include "app/recipes.h"
#include "app/tasks_play.h"
#include "work/shown.h"

namespace nl::app {
namespace {

using Play = int (Tasks::*)();

CLI::App* subcommand(CLI::App& app, const char* name, const char* what, const char* example) {
  CLI::App* sub = app.add_subcommand(name, what);
  sub->fallthrough();
  sub->footer(std::string("Example: ") + example);
  return sub;
}

void declare_add(CLI::App& app, TasksWanted& wanted, std::string& recipe) {
  CLI::App* add =
      subcommand(app, "add", "Keep a task with example inputs",
                 "nightlight tasks add digest --prompt \"Summarise this in five lines\""
                 " --input report.pdf --input notes.md --label summarisation\n"
                 "         nightlight tasks add mails --recipe mail-triage --input a.eml");
  add->add_option("name", wanted.task.name, "Its name: a-z, 0-9 and -")->required();
  auto* prompt =
      add->add_option("--prompt", wanted.task.prompt,
                      "What is asked of every example, which stands behind it or at {input}");
  auto* file = add->add_option("--prompt-file", wanted.prompt_file, "The same from a file");
  prompt->excludes(file);
  add->add_option("--recipe", recipe,
                  "A recipe of `ask` that says how to ask; --prompt are then its words");
  add->add_option("--input", wanted.files, "An example file, copied; again for more")
      ->allow_extra_args(false);
  add->add_option("--text", wanted.texts, "An example as a text; again for more")
      ->allow_extra_args(false);
  add->add_option("--system", wanted.task.system, "The system prompt");
  add->add_option("--label", wanted.task.label, "The kind of work, as [tasks] names it");
  add->add_option("--model", wanted.task.model, "The model that is asked for today");
  add->add_option("--cloud", wanted.task.cloud,
                  "Where the cloud's answer comes from, as openrouter/MODEL; else as requests go");
  add->add_option("--max-tokens", wanted.task.max_tokens, "The longest answer")
      ->check(CLI::Range(1, 1'000'000));
}

void declare_run(CLI::App& app, TasksWanted& wanted) {
  CLI::App* run = subcommand(app, "run", "Answer the examples on the local tier and on the cloud",
                             "nightlight tasks run digest --judge claude-opus-5-5");
  run->add_option("task", wanted.names, "Which tasks; all without one");
  run->add_option("--judge", wanted.judge, "A model that compares, twice, with positions swapped");
  run->add_option("--seed", wanted.seed, "Repeat the blinded orders of another run");
  run->add_flag("--json", wanted.json, "For programs");
}

void declare_report(CLI::App& app, TasksWanted& wanted) {
  CLI::App* report =
      subcommand(app, "report", "What a run came to", "nightlight tasks report --html tasks.html");
  report->add_option("run", wanted.run, "Which run; the newest without one");
  report->add_option("--html", wanted.html, "Write the blinded page to this file, too");
  report->add_flag("--json", wanted.json, "For programs");
}

void declare_grade(CLI::App& app, TasksWanted& wanted) {
  CLI::App* grade = subcommand(
      app, "grade", "Grade a run without knowing who wrote what; asks where nothing is given",
      "nightlight tasks grade digest.1=same digest.2=b,ok\n"
      "Grades: a, b (better, the other not good enough); a,ok b,ok (the other is, too); same; "
      "none; ok, no (a local answer alone)");
  grade->add_option("grade", wanted.grades, "TASK.N=GRADE");
  grade->add_option("--run", wanted.run, "Which run; the newest without it");
  grade->add_option("--judge", wanted.judge, "Let a model judge the run instead");
  grade->add_flag("--json", wanted.json, "For programs");
}

void declare(CLI::App& app, TasksWanted& wanted, std::string& recipe) {
  app.footer(
      "Example: nightlight tasks add digest --prompt \"Summarise this\" --input report.pdf\n"
      "         nightlight tasks run\n         nightlight tasks grade");
  app.require_subcommand(0, 1);
  declare_add(app, wanted, recipe);
  subcommand(app, "list", "The tasks and their readiness", "nightlight tasks list --json")
      ->add_flag("--json", wanted.json, "For programs");
  declare_run(app, wanted);
  declare_report(app, wanted);
  declare_grade(app, wanted);
  subcommand(app, "rm", "Forget a task and its readiness", "nightlight tasks rm digest")
      ->add_option("task", wanted.names, "Which tasks")
      ->required();
}

Play play_named(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  const std::string name = chosen.empty() ? "list" : chosen.front()->get_name();
  if (name == "add") return &Tasks::add;
  if (name == "run") return &Tasks::run;
  if (name == "report") return &Tasks::report;
  if (name == "grade") return &Tasks::grade;
  if (name == "rm") return &Tasks::remove;
  return &Tasks::list;
}

// Errors: config, not_found.
Result<work::Recipe> recipe_named(const std::string& name, const Environment& environment) {
  const Recipes recipes = load_recipes(environment);
  if (const auto broken = recipes.broken.find(name); broken != recipes.broken.end()) {
    return std::unexpected(broken->second);
  }
  if (const work::Recipe* recipe = recipes.find(name)) return *recipe;
  return fail(
      ErrorCode::not_found,
      fmt::format("no recipe is called \"{}\"; `nightlight ask --recipes` lists them", name));
}

int mistake(const Error& error) {
  fmt::print(stderr, "nightlight: {}\n", work::visible(error.message));
  return 2;
}

}  // namespace

int tasks(const CliOptions& given, const Environment& environment) {
  CliOptions options = given;
  TasksWanted wanted;
  CLI::App app("The tasks that must not stop: tried on the local tier, compared with the cloud",
               "nightlight tasks");
  std::string recipe;
  declare(app, wanted, recipe);
  if (const auto status = parse_own(app, options)) return *status;
  if (!recipe.empty()) {
    auto named = recipe_named(recipe, environment);
    if (!named) return mistake(named.error());
    wanted.recipe = std::move(*named);
  }
  auto config = config::load_config(options.config, environment);
  if (!config) return mistake(config.error());
  Tasks command(options, std::move(*config), std::move(wanted));
  return (command.*play_named(app))();
}

}  // namespace nl::app
