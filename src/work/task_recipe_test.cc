#include "work/task_recipe.h"

#include <gtest/gtest.h>

namespace nl::work {
namespace {

Recipe recipe() {
  Recipe made;
  made.name = "summary";
  made.task = "summarisation";
  made.words = Need::optional;
  made.words_default = "Be short.";
  made.system = "You summarise {{texts}}.";
  made.prompt = "{documents}\n\n{words}";
  made.max_tokens = 300;
  return made;
}

Task task(std::string words = "") {
  Task made;
  made.name = "digest";
  made.prompt = std::move(words);
  made.examples = {{"a text", ""}};
  return made;
}

TEST(TaskRecipe, AsksInTheRecipesWords) {
  Task made = task();
  ASSERT_TRUE(build_on(made, recipe()));
  EXPECT_EQ(made.system, "You summarise {texts}.");
  EXPECT_EQ(made.prompt, "{input}\n\nBe short.");
  EXPECT_EQ(made.label, "summarisation");
  EXPECT_EQ(made.max_tokens, 300);
  EXPECT_EQ(made.recipe, "summary");
  const auto again = parse_task(task_json(made));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->recipe, "summary");
  EXPECT_EQ(asked_of(*again, "The {input} of {words}."), "The {input} of {words}.\n\nBe short.");
}

TEST(TaskRecipe, WhatTheTaskSaysStays) {
  Task made = task("In one line.");
  made.system = "Mine.";
  made.label = "chat_qa";
  made.max_tokens = 50;
  ASSERT_TRUE(build_on(made, recipe()));
  EXPECT_EQ(made.prompt, "{input}\n\nIn one line.");
  EXPECT_EQ(made.system + "/" + made.label, "Mine./chat_qa");
  EXPECT_EQ(made.max_tokens, 50);
}

TEST(TaskRecipe, ARecipeWithoutDocumentsIsFollowedByTheExample) {
  Recipe plain = recipe();
  plain.prompt = "Do this: {words}";
  Task made = task();
  ASSERT_TRUE(build_on(made, plain));
  EXPECT_EQ(asked_of(made, "a text"), "Do this: Be short.\n\na text");
}

TEST(TaskRecipe, AMailStandsBetweenMarksThatTheSystemTextNames) {
  Recipe mails = recipe();
  mails.way = Way::mail_triage;
  mails.prompt = "{words}";
  Task made = task("Bills first.");
  ASSERT_TRUE(build_on(made, mails));
  const std::string asked = asked_of(made, "From: a");
  const std::string mark = asked.substr(0, asked.find('>') + 1);
  EXPECT_TRUE(mark.starts_with("<mail-"));
  EXPECT_NE(made.system.find(mark), std::string::npos);
  EXPECT_NE(made.system.find("Bills first."), std::string::npos);
  EXPECT_NE(made.system.find("\"urgency\""), std::string::npos);
  EXPECT_NE(asked.find("\nFrom: a\n</mail-"), std::string::npos);
}

TEST(TaskRecipe, SaysWhatCannotBe) {
  Task made = task();
  Recipe draft = recipe();
  draft.words = Need::required;
  draft.words_default.clear();
  const auto lacks = build_on(made, draft);
  ASSERT_FALSE(lacks);
  EXPECT_NE(lacks.error().message.find("--prompt"), std::string::npos);
  draft.way = Way::research;
  EXPECT_FALSE(build_on(made = task("words"), draft));
}

}  // namespace
}  // namespace nl::work
