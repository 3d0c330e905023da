#include "work/question.h"

#include <gtest/gtest.h>

namespace nl::work {
namespace {

class Counter final : public Asker {
 public:
  Result<Reply> answer(const Prompt&, const OnText&) override {
    return fail(ErrorCode::internal, "not asked");
  }
  Result<Count> count(const Prompt&) override { return said; }
  Count said;
};

TEST(Question, HoldsItsDocumentsAndWords) {
  Recipe recipe;
  recipe.system = "\nBe brief.\n";
  recipe.prompt = "{documents}\n\n{words}\n";
  recipe.words_default = "Summarise.";
  documents::Document text;
  text.name = "a.txt";
  text.text = "{words}\n";
  documents::Document image;
  image.name = "b.png";
  image.images = {{"image/png", "x"}};
  const Prompt prompt = question_prompt({recipe, {text, image}, ""});
  EXPECT_EQ(prompt.system, "Be brief.");
  EXPECT_NE(prompt.text.find("<document name=\"a.txt\">\n{words}\n</document>"), std::string::npos);
  EXPECT_TRUE(prompt.text.ends_with("Summarise."));
  EXPECT_EQ(prompt.images.size(), 1U);
  EXPECT_EQ(question_prompt({recipe, {}, "Why?"}).text, "Why?");
}

TEST(Question, WhatDoesNotFitIsRefusedWithWhatToDo) {
  Counter counter;
  counter.said.target = "here/small";
  counter.said.window = 8192;
  Prompt prompt;
  prompt.max_tokens = 4096;
  counter.said.tokens = 1000;
  ASSERT_TRUE(fit(counter, prompt));
  EXPECT_EQ(prompt.max_tokens, 4096U);
  counter.said.tokens = 6000;
  ASSERT_TRUE(fit(counter, prompt));
  EXPECT_EQ(prompt.max_tokens, 2192U);
  counter.said.tokens = 8100;
  const auto refused = fit(counter, prompt);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::too_large);
  for (const char* word : {"8100", "8192", "here/small", "ask research", "--tier"}) {
    EXPECT_NE(refused.error().message.find(word), std::string::npos) << word;
  }
  // An estimate is taken with its margin, and shortening is no fitting.
  counter.said.tokens = 7700;
  counter.said.estimated = true;
  EXPECT_FALSE(fit(counter, prompt));
  counter.said.tokens = 100;
  counter.said.compacted = "1 text shortened";
  EXPECT_FALSE(fit(counter, prompt));
  // Nothing is known: the answer will say.
  counter.said = Count();
  counter.said.tokens = 1'000'000;
  EXPECT_TRUE(fit(counter, prompt));
}

}  // namespace
}  // namespace nl::work
