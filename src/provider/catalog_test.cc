#include "provider/catalog.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace nl::provider {
namespace {

TEST(Catalog, EveryRowBelongsToAKnownProviderAndIsListedOnce) {
  std::set<std::string> seen;
  for (const ModelRow& row : model_rows()) {
    EXPECT_NE(known_provider(row.vendor), nullptr) << row.vendor;
    EXPECT_TRUE(seen.insert(std::string(row.vendor) + " " + std::string(row.name)).second)
        << row.name;
    if (row.price.input == 0) continue;
    EXPECT_GT(row.price.output, row.price.input) << row.name;
    EXPECT_GT(row.price.cache_read, 0) << row.name;
    EXPECT_LT(row.price.output, 100'000'000) << row.name << ": micro-dollars per million?";
  }
}

TEST(Catalog, OwnModelsBeginWithAnOwnPrefix) {
  for (const ModelRow& row : model_rows()) {
    bool own = false;
    for (std::string_view prefix : known_provider(row.vendor)->own_prefixes) {
      own = own || row.name.starts_with(prefix);
    }
    EXPECT_TRUE(own) << row.name;
  }
}

TEST(Catalog, LooksThroughDatesAndTheWindowMark) {
  for (const char* name : {"claude-haiku-4-5", "claude-haiku-4-5-20251001",
                           "claude-haiku-4-5-latest", "claude-haiku-4-5[1m]"}) {
    const auto facts = facts_for("anthropic", name);
    ASSERT_TRUE(facts) << name;
    EXPECT_EQ(facts->name, name);
    EXPECT_EQ(facts->size, chat::ModelClass::small);
    EXPECT_EQ(facts->price->input, 1'000'000);
  }
  EXPECT_TRUE(facts_for("openai", "gpt-5-2025-08-07"));
}

TEST(Catalog, AnUnknownModelIsUnknownAndNotFree) {
  EXPECT_FALSE(facts_for("anthropic", "claude-opus-9"));
  EXPECT_FALSE(facts_for("openrouter", "openai/gpt-5.5:free"));
  EXPECT_FALSE(facts_for("openai", "claude-opus-5-5"));
  EXPECT_FALSE(facts_for("nobody", "gpt-5"));
  EXPECT_FALSE(facts_for("anthropic", "claude-opus-4-7")->price);
}

TEST(Catalog, DefaultsOfTheRouterDoNotShareTheFirstVendor) {
  std::set<chat::ModelClass> classes;
  for (const chat::ModelFacts& facts : models_of("openrouter")) {
    if (!classes.insert(facts.size).second) continue;
    EXPECT_FALSE(facts.name.starts_with("anthropic/")) << facts.name;
  }
  EXPECT_EQ(classes.size(), 3u);
}

}  // namespace
}  // namespace nl::provider
