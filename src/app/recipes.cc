#include "app/recipes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "config/file.h"
#include "config/user_toml.h"
#include "router/planner.h"

namespace nl::app {
namespace {

namespace fs = std::filesystem;
using work::Need;
using work::Recipe;
using work::Way;
using Names = std::span<const std::string_view>;

constexpr std::size_t kFilesMax = 256;
constexpr double kTokensMost = 1'000'000;

void text(config::TableReader& reader, std::string_view key, std::string& into) {
  if (const auto written = reader.text(key)) into = written->text;
}

void tokens(config::TableReader& reader, std::string_view key, std::uint32_t& into) {
  if (const auto number = reader.whole(key, {16, kTokensMost}, "tokens")) {
    into = static_cast<std::uint32_t>(*number);
  }
}

void need(config::TableReader& reader, std::string_view key, Need& into) {
  if (const auto index = reader.word(key, {"required", "optional", "none"})) {
    into = static_cast<Need>(*index);
  }
}

// A template and the places that it may have.
void prompt(config::TableReader& reader, std::string_view key, Names names, std::string& into) {
  const auto written = reader.text(key);
  if (!written) return;
  into = written->text;
  if (const auto wrong = work::wrong_place(into, names)) {
    std::string known;
    for (const std::string_view name : names) known += fmt::format(" {{{}}}", name);
    reader.mistake(written->place, key, fmt::format("\"{}\" is no place for a text", *wrong),
                   fmt::format("there are{}; a brace itself is written twice", known));
  }
}

void read_task(config::TableReader& reader, Recipe& recipe) {
  const auto written = reader.text("task");
  if (!written) return;
  recipe.task = written->text;
  const auto labels = router::task_labels();
  if (!recipe.task.empty() && std::ranges::find(labels, recipe.task) == labels.end()) {
    const std::string meant = config::closest(recipe.task, {labels.begin(), labels.end()});
    reader.mistake(
        written->place, "task", fmt::format("\"{}\" is no task", recipe.task),
        meant.empty() ? "docs/headers.md lists them" : fmt::format("did you mean \"{}\"?", meant));
  }
}

void read_prompts(config::TableReader& reader, Recipe& recipe) {
  static constexpr std::array<std::string_view, 2> kAsk = {"words", "documents"};
  static constexpr std::array<std::string_view, 3> kPart = {"words", "document", "text"};
  static constexpr std::array<std::string_view, 3> kNotes = {"words", "documents", "notes"};
  prompt(reader, "system", {}, recipe.system);
  prompt(reader, "prompt", recipe.way == Way::ask ? Names(kAsk) : Names(kPart), recipe.prompt);
  if (recipe.way != Way::research) return;
  prompt(reader, "merge", kNotes, recipe.merge);
  prompt(reader, "answer", kNotes, recipe.answer);
  tokens(reader, "answer_tokens", recipe.answer_tokens);
  if (const auto most = reader.whole("part_tokens", {500, kTokensMost}, "tokens")) {
    recipe.part_tokens = *most;
  }
}

Recipe read_recipe(config::TableReader& top, config::Mistakes& mistakes) {
  Recipe recipe;
  text(top, "name", recipe.name);
  text(top, "description", recipe.description);
  text(top, "example", recipe.example);
  text(top, "model", recipe.model);
  text(top, "words_default", recipe.words_default);
  if (const auto way = top.word("way", {"ask", "research", "mail-triage"})) {
    recipe.way = static_cast<Way>(*way);
  }
  static const std::vector<std::string> kTiers = {"frontier", "router", "local"};
  if (const auto tier = top.word("tier", kTiers)) recipe.tier = kTiers[*tier];
  need(top, "files", recipe.files);
  need(top, "words", recipe.words);
  tokens(top, "max_tokens", recipe.max_tokens);
  read_task(top, recipe);
  read_prompts(top, recipe);
  top.finish();
  const bool plain =
      !recipe.name.empty() &&
      recipe.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
  if (!plain) {
    mistakes.add({1, 1}, "name: is missing or more than small letters, digits and \"-\"",
                 "write name = \"my-recipe\"");
  }
  const bool whole = !recipe.prompt.empty() && (recipe.way != Way::research ||
                                                (!recipe.merge.empty() && !recipe.answer.empty()));
  if (!whole) mistakes.add({1, 1}, "a recipe needs a prompt; research also merge and answer", "");
  return recipe;
}

void put(std::vector<Recipe>& list, Recipe recipe) {
  const auto same = std::ranges::find(list, recipe.name, &Recipe::name);
  if (same != list.end()) {
    *same = std::move(recipe);
  } else {
    list.push_back(std::move(recipe));
  }
}

}  // namespace

const Recipe* Recipes::find(std::string_view name) const {
  const auto found = std::ranges::find(list, name, &Recipe::name);
  return found == list.end() ? nullptr : &*found;
}

Result<Recipe> parse_recipe(std::string_view toml, const std::string& path) {
  config::Mistakes mistakes(path);
  const auto tables = config::toml_tables(toml, path, mistakes);
  if (!tables) return std::unexpected(mistakes.error());
  config::TableReader top(*tables, "", mistakes);
  Recipe recipe = read_recipe(top, mistakes);
  recipe.source = path;
  recipe.toml = std::string(toml);
  if (!mistakes.empty()) return std::unexpected(mistakes.error());
  return recipe;
}

Recipes load_recipes(const Environment& environment) {
  Recipes loaded;
  for (const std::string_view text : built_in_recipes()) {
    if (auto recipe = parse_recipe(text, "built-in")) put(loaded.list, std::move(*recipe));
  }
  const std::string folder = config::user_config_folder(environment);
  const auto files = folder.empty() ? std::vector<std::string>()
                                    : config::toml_files(folder + "/recipes", kFilesMax);
  for (const std::string& path : files) {
    const auto file = config::read_config_file(path);
    auto recipe =
        file ? parse_recipe(file->text, path) : Result<Recipe>(std::unexpected(file.error()));
    if (recipe) {
      put(loaded.list, std::move(*recipe));
    } else {
      loaded.broken.emplace(fs::path(path).stem(), recipe.error());
    }
  }
  std::ranges::sort(loaded.list, {}, &Recipe::name);
  return loaded;
}

}  // namespace nl::app
