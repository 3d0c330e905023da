#include "app/ask_command.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

#include "app/ask_task.h"
#include "app/ask_words.h"
#include "app/own_commands.h"
#include "app/quiet_line.h"
#include "app/reach_gateway.h"
#include "dialect/json_writer.h"
#include "router/planner.h"
#include "work/shown.h"

namespace nl::app {
namespace {

using work::Need;
using work::Recipe;

struct Wanted {
  std::vector<std::string> words;
  std::string tier, task, model, out, show;
  std::uint32_t max_tokens = 0;
  bool offline = false;
  bool json = false;
  bool recipes = false;
  bool fresh = false;
};

// A question without a recipe.
Recipe plain_question() {
  Recipe recipe;
  recipe.name = "ask";
  recipe.words = Need::required;
  recipe.max_tokens = 4096;
  recipe.prompt = "{documents}\n\n{words}";
  return recipe;
}

std::string footer_of(const Recipes& recipes) {
  std::string text = "\nRecipes (`ask --show NAME` prints one, to copy and change):\n";
  for (const Recipe& recipe : recipes.list) {
    text += fmt::format("  {:<12} {}\n               {}\n", recipe.name, recipe.description,
                        recipe.example);
  }
  return text +
         "\nExample:\n  nightlight ask contract.pdf \"when can we give notice, and how?\"\n"
         "  git log -5 | nightlight ask --offline \"what has changed, for a customer?\"";
}

void add_options(CLI::App& app, Wanted& wanted) {
  app.add_option("words", wanted.words, "a recipe, files or folders, and last the question")
      ->type_name("[RECIPE] [FILE...] [\"QUESTION\"]");
  app.add_option("--tier", wanted.tier, "who may answer: local, router or frontier")
      ->check(CLI::IsMember({"local", "router", "frontier"}))
      ->type_name("TIER");
  app.add_option("--task", wanted.task, "the task's label, which [tasks] gives targets")
      ->type_name("LABEL");
  app.add_option("--model", wanted.model, "the model to ask for; others may stand in for it")
      ->type_name("NAME");
  app.add_option("--max-tokens", wanted.max_tokens, "the answer's limit")->type_name("N");
  app.add_flag("--offline", wanted.offline, "this machine alone: nothing of it leaves");
  app.add_option("--out", wanted.out, "research, mail-triage: a folder for what is made")
      ->type_name("DIR");
  app.add_flag("--fresh", wanted.fresh, "research: read everything again");
  app.add_flag("--recipes", wanted.recipes, "list the recipes and where they come from");
  app.add_option("--show", wanted.show, "print a recipe's file")->type_name("NAME");
  app.add_flag("--json", wanted.json, "one JSON object instead of text");
}

int complain(std::string_view text) {
  fmt::print(stderr, "nightlight: {}\n", work::visible(text));
  return 2;
}

int list_recipes(const Recipes& recipes, Form form) {
  std::string text;
  if (form == Form::json) {
    dialect::JsonWriter writer(text);
    writer.begin_array();
    for (const Recipe& recipe : recipes.list) {
      writer.begin_object().string("name", recipe.name).string("description", recipe.description);
      writer.string("task", recipe.task).string("example", recipe.example);
      writer.string("source", recipe.source).end_object();
    }
    writer.end_array();
    fmt::print("{}\n", text);
  } else {
    for (const Recipe& recipe : recipes.list) {
      fmt::print("{:<14} {:<58} {}\n", recipe.name, recipe.description, recipe.source);
    }
  }
  for (const auto& [name, error] : recipes.broken) {
    fmt::print(stderr, "nightlight: recipe left out: {}\n", error.message);
  }
  return recipes.broken.empty() ? 0 : 1;
}

int show_recipe(const Recipes& recipes, const std::string& name) {
  if (const Recipe* recipe = recipes.find(name)) {
    fmt::print("{}", recipe->toml);
    return 0;
  }
  return complain(
      fmt::format("no recipe is called \"{}\"; `nightlight ask --recipes` lists them", name));
}

// Whether something waits on standard input: a pipe or a file, not a terminal and not /dev/null.
bool has_input() {
  struct stat status {};
  return fstat(0, &status) == 0 &&
         (S_ISFIFO(status.st_mode) || S_ISREG(status.st_mode) || S_ISSOCK(status.st_mode));
}

// What is missing or too much, with the fix; empty = nothing.
std::string what_lacks(const Recipe& recipe, const AskWords& given) {
  const std::string example =
      recipe.example.empty() ? "nightlight ask FILE... \"question\"" : recipe.example;
  if (recipe.words == Need::required && given.words.empty()) {
    return fmt::format("say what you want to know, as the last word in quotes: {}", example);
  }
  if (recipe.files == Need::required && given.files.empty()) {
    return fmt::format("{} needs a file, or text piped to it: {}", recipe.name, example);
  }
  return {};
}

// An option that the recipe has no use for, with the fix; empty = none. Passed over in silence, it
// would look as if it had been obeyed.
std::string what_is_in_vain(const Wanted& wanted, const Recipe& recipe) {
  if (!wanted.out.empty() && recipe.way == work::Way::ask) {
    return "--out is for research and mail-triage; here `> FILE` keeps the answer";
  }
  if (wanted.fresh && recipe.way != work::Way::research) {
    return "--fresh is for research, which goes on where it was; anything else is always fresh";
  }
  return {};
}

Result<std::string> route_of(const Wanted& wanted, const Recipe& recipe) {
  if (wanted.offline && !wanted.tier.empty() && wanted.tier != "local") {
    return fail(ErrorCode::bad_request,
                fmt::format("--offline stays on this machine and --tier {} does not: choose one",
                            wanted.tier));
  }
  if (wanted.offline) return std::string("offline");
  const std::string& tier = wanted.tier.empty() ? recipe.tier : wanted.tier;
  return tier.empty() ? std::string() : "@" + tier;
}

Result<std::string> task_of(const Wanted& wanted, const Recipe& recipe) {
  if (wanted.task.empty()) return recipe.task;
  const auto labels = router::task_labels();
  if (std::ranges::find(labels, wanted.task) != labels.end()) return wanted.task;
  std::string names;
  for (const std::string_view label : labels) {
    names.append(names.empty() ? "" : ", ").append(label);
  }
  return fail(ErrorCode::bad_request,
              fmt::format("no task is called \"{}\": use one of {}", wanted.task, names));
}

int carry_out(const AskTask& task, work::Asker& asker) {
  switch (task.recipe.way) {
    case work::Way::ask:
      return ask_once(task, asker);
    case work::Way::research:
      return ask_research(task, asker);
    case work::Way::mail_triage:
      return ask_mail(task, asker);
  }
  return 2;
}

int ask(const CliOptions& options, const Environment& environment, const Wanted& wanted,
        const Recipes& recipes) {
  auto sorted = sort_words(wanted.words, recipes);
  if (!sorted) return complain(sorted.error().message);
  const Recipe plain = plain_question();
  const Recipe& recipe = sorted->recipe == nullptr ? plain : *sorted->recipe;
  const bool offered = sorted->files.empty() && recipe.files != Need::none && has_input();
  if (offered) sorted->files.emplace_back("-");
  if (const std::string lack = what_lacks(recipe, *sorted); !lack.empty()) return complain(lack);
  if (const std::string vain = what_is_in_vain(wanted, recipe); !vain.empty()) {
    return complain(vain);
  }
  const auto route = route_of(wanted, recipe);
  if (!route) return complain(route.error().message);
  const auto label = task_of(wanted, recipe);
  if (!label) return complain(label.error().message);
  const auto config = config::load_config(options.config, environment);
  if (!config) return complain(config.error().message);
  AskTask task{recipe, sorted->files, sorted->words, {}, {}, wanted.out, wanted.fresh, {}};
  task.base.route = *route;
  task.base.task = *label;
  task.base.model = wanted.model.empty() ? recipe.model : wanted.model;
  task.base.max_tokens = wanted.max_tokens;
  task.form = wanted.json ? Form::json : Form::people;
  task.state_dir = config->state_dir;
  if (offered && recipe.files == Need::optional) task.empty_input = EmptyInput::nothing;
  const auto address = reach_gateway(options, *config);
  if (!address) {
    fmt::print(stderr, "nightlight: {}\n", address.error().message);
    return 1;
  }
  work::Endpoint endpoint(*address, endpoint_limits(task.base.route));
  endpoint.when_quiet(say_what_is_awaited(*config));
  return carry_out(task, endpoint);
}

}  // namespace

int complain_about(const Error& error) {
  fmt::print(stderr, "nightlight: {}\n", work::visible(error.message));
  if (error.code == ErrorCode::cancelled) return 130;
  const bool mistake = error.code == ErrorCode::too_large || error.code == ErrorCode::config ||
                       error.code == ErrorCode::bad_request || error.code == ErrorCode::unsupported;
  return mistake ? 2 : 1;
}

int ask_command(const CliOptions& given, const Environment& environment) {
  CliOptions options = given;
  const Recipes recipes = load_recipes(environment);
  Wanted wanted;
  CLI::App app("Ask about files, or about nothing but the question; whoever can answers.",
               "nightlight ask");
  add_options(app, wanted);
  app.footer(footer_of(recipes));
  if (const auto status = parse_own(app, options)) return *status;
  if (wanted.recipes) return list_recipes(recipes, wanted.json ? Form::json : Form::people);
  if (!wanted.show.empty()) return show_recipe(recipes, wanted.show);
  return ask(options, environment, wanted, recipes);
}

}  // namespace nl::app
