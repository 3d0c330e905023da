#include "app/recipes.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace nl::app {
namespace {

constexpr const char* kMine = R"(name = "summary"
description = "mine"
prompt = "{documents} {words}"
)";

TEST(Recipes, TheBuiltInOnesAreSoundAndEachShowsHowItIsCalled) {
  const Recipes recipes = load_recipes(Environment());
  EXPECT_TRUE(recipes.broken.empty());
  EXPECT_EQ(recipes.list.size(), built_in_recipes().size());
  for (const char* name :
       {"first-draft", "mail-triage", "summary", "research", "review", "outline", "brainstorm"}) {
    const work::Recipe* recipe = recipes.find(name);
    ASSERT_NE(recipe, nullptr) << name;
    EXPECT_FALSE(recipe->description.empty());
    EXPECT_FALSE(recipe->system.empty());
    EXPECT_FALSE(recipe->task.empty());
    EXPECT_NE(recipe->example.find(std::string("nightlight ask ") + name), std::string::npos);
    EXPECT_EQ(recipe->source, "built-in");
    EXPECT_NE(recipe->toml.find("~/.config/nightlight/recipes/"), std::string::npos);
  }
  // Every built-in text was parsed, and shows as it was written.
  for (const std::string_view text : built_in_recipes()) {
    const auto recipe = parse_recipe(text, "built-in");
    ASSERT_TRUE(recipe) << recipe.error().message;
    EXPECT_EQ(recipe->toml, text);
  }
}

TEST(Recipes, AUsersCopyTakesTheBuiltInOnesPlaceAndAWrongOneIsTold) {
  std::string folder = "/tmp/nl-recipes-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const std::string own = folder + "/nightlight/recipes";
  std::filesystem::create_directories(own);
  std::ofstream(own + "/summary.toml") << kMine;
  std::ofstream(own + "/review.toml") << "name = \"review\"\nprompt = \"{file}\"\n";
  Environment environment;
  environment.set("XDG_CONFIG_HOME", folder);
  const Recipes recipes = load_recipes(environment);
  std::filesystem::remove_all(folder);
  ASSERT_NE(recipes.find("summary"), nullptr);
  EXPECT_EQ(recipes.find("summary")->description, "mine");
  EXPECT_EQ(recipes.find("summary")->source, own + "/summary.toml");
  ASSERT_TRUE(recipes.broken.contains("review"));
  const std::string& told = recipes.broken.at("review").message;
  EXPECT_NE(told.find("review.toml:2"), std::string::npos) << told;
  EXPECT_NE(told.find("{file}"), std::string::npos) << told;
}

TEST(Recipes, MistakesAreNamedWithTheirLineAndFix) {
  const auto wrong = [](const std::string& text) {
    const auto recipe = parse_recipe(text, "x.toml");
    return recipe ? std::string() : recipe.error().message;
  };
  EXPECT_EQ(wrong(kMine), "");
  EXPECT_NE(wrong(std::string(kMine) + "task = \"summary\"\n").find("x.toml:4"), std::string::npos);
  EXPECT_NE(wrong(std::string(kMine) + "tir = \"local\"\n").find("tier"), std::string::npos);
  EXPECT_NE(wrong(std::string(kMine) + "tier = \"cloud\"\n").find("local"), std::string::npos);
  EXPECT_NE(wrong("name = \"A b\"\nprompt = \"x\"\n").find("my-recipe"), std::string::npos);
  EXPECT_NE(wrong("name = \"x\"\n").find("needs a prompt"), std::string::npos);
  EXPECT_NE(wrong("name = \"x\"\nway = \"research\"\nprompt = \"x\"\n").find("merge"),
            std::string::npos);
  EXPECT_NE(wrong("[[").find("not valid TOML"), std::string::npos);
}

}  // namespace
}  // namespace nl::app
