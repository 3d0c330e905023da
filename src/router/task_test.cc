#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <map>
#include <string>

#include "router/planner.h"

namespace nl::router {
namespace {

class TaskTest : public testing::Test {
 protected:
  TaskTest() {
    facts.model = "claude-opus-5-5";
    facts.turns = 1;
    facts.input_tokens = 3000;
    facts.max_tokens = 8192;
  }
  std::string label() const { return std::string(task_label(facts)); }

  RequestFacts facts;
};

constexpr std::string_view kDiff =
    "diff --git a/pool.c b/pool.c\nindex 1..2 100644\n--- a/pool.c\n+++ b/pool.c\n"
    "@@ -1,3 +1,3 @@\n int n;\n-free(p);\n+if (p) free(p); // as the review said\n";

TEST_F(TaskTest, OrdinaryRequestsHaveNoLabel) {
  for (const char* text : {"Why does this test fail?", "Write a parser for TOML", "hello", "",
                           "Explain what a circuit breaker is"}) {
    facts.last_user = text;
    EXPECT_EQ(label(), "") << text;
  }
}

TEST_F(TaskTest, ADiffWithAQuestionForReviewIsAReview) {
  const std::string text = "Please review this change.\n\n" + std::string(kDiff);
  facts.last_user = text;
  EXPECT_EQ(label(), "code_review");
  const std::string below = std::string(kDiff) + "\nWhat do you think? Any issues?\n";
  facts.last_user = below;
  EXPECT_EQ(label(), "code_review");
}

TEST_F(TaskTest, ADiffAloneIsNoReviewUnlessTheSystemIsAReviewer) {
  facts.last_user = kDiff;
  EXPECT_EQ(label(), "");
  facts.system_start = "You are a careful code review assistant.";
  EXPECT_EQ(label(), "code_review");
}

TEST_F(TaskTest, OtherWorkOnADiffIsNoReview) {
  for (const char* order :
       {"Apply this patch:\n", "Write a commit message for this:\n",
        "Address the review comments in this change:\n", "Fix the bug that this introduced:\n"}) {
    const std::string text = order + std::string(kDiff);
    facts.last_user = text;
    EXPECT_EQ(label(), "") << order;
  }
}

TEST_F(TaskTest, AnAgentAtWorkHasNoLabel) {
  const std::string text = "Please review this change.\n\n" + std::string(kDiff);
  facts.last_user = text;
  facts.tools = true;
  EXPECT_EQ(label(), "");
}

TEST_F(TaskTest, ALongTextToBeSummarisedIsASummary) {
  facts.last_user = "Summarise the following minutes in five bullets:\n\nMonday ...";
  EXPECT_EQ(label(), "summarisation");
  facts.last_user = "Monday we met and talked.\n\nGive me the main points of this.";
  EXPECT_EQ(label(), "summarisation");
  facts.input_tokens = 40;
  EXPECT_EQ(label(), "");
  facts.input_tokens = 3000;
  facts.last_user = "Write a function that computes summary statistics";
  EXPECT_EQ(label(), "");
  facts.last_user = "Summarise what this code does";
  EXPECT_EQ(label(), "");
}

TEST_F(TaskTest, AVeryLongPromptWithoutToolsIsASweep) {
  facts.input_tokens = 250'000;
  facts.last_user = "What do these reports agree on?";
  EXPECT_EQ(label(), "research_synthesis");
  facts.tools = true;
  EXPECT_EQ(label(), "");
}

TEST_F(TaskTest, TitlesProbesAndTheSmallModelSlotAreBackground) {
  facts.system_start = "Generate a concise, 3-5 word title for the chat.";
  facts.last_user = "the build fails on Mondays";
  EXPECT_EQ(label(), "");  // could be a person's own prompt
  facts.max_tokens = 64;
  EXPECT_EQ(label(), "background_utility");
  facts.max_tokens = 32'000;
  facts.model = "claude-haiku-4-5-20251001";
  EXPECT_EQ(label(), "background_utility");

  facts.system_start = "You are a helpful assistant.";
  EXPECT_EQ(label(), "");
  facts.max_tokens = 1024;
  EXPECT_EQ(label(), "background_utility");
  facts.turns = 7;
  EXPECT_EQ(label(), "");

  facts = RequestFacts{};
  facts.model = "claude-opus-5-5";
  facts.input_tokens = 8;
  facts.max_tokens = 1;
  facts.last_user = "quota";
  EXPECT_EQ(label(), "background_utility");
}

// The string value of `key` on a line of JSON, unescaped as far as the rules need it.
std::string field(const std::string& line, const std::string& key) {
  const std::size_t at = line.find("\"" + key + "\": \"");
  if (at == std::string::npos) return {};
  std::string value;
  for (std::size_t i = at + key.size() + 5; i < line.size() && line[i] != '"'; ++i) {
    if (line[i] != '\\') {
      value.push_back(line[i]);
      continue;
    }
    ++i;
    value.push_back(line[i] == 'n' ? '\n' : line[i]);
  }
  return value;
}

std::int64_t number(const std::string& line, const std::string& key) {
  const std::size_t at = line.find("\"" + key + "\": ");
  if (at == std::string::npos) return 0;
  std::int64_t value = 0;
  for (std::size_t i = at + key.size() + 4; i < line.size() && line[i] >= '0' && line[i] <= '9';
       ++i) {
    value = value * 10 + (line[i] - '0');
  }
  return value;
}

TEST(TaskDataTest, ALabelIsRarelyWrongOnLabelledPrompts) {
  std::ifstream file("../shared/data/routing/tasks.jsonl");
  if (!file) GTEST_SKIP() << "no shared test data beside this checkout";
  std::map<std::string, int> right;
  std::map<std::string, int> wrong;
  std::string line;
  while (std::getline(file, line)) {
    const std::string prompt = field(line, "prompt");
    RequestFacts facts;
    facts.model = "auto";
    facts.turns = 1;
    facts.max_tokens = 4096;
    facts.input_tokens = static_cast<std::int64_t>(prompt.size() / 4);
    facts.last_user = std::string_view(prompt).substr(0, 8192);
    const std::string label(task_label(facts));
    if (label.empty()) continue;
    const bool same = label == field(line, "label");
    ++(same ? right : wrong)[label];
  }
  int all_right = 0;
  int all_wrong = 0;
  for (const char* label :
       {"background_utility", "code_review", "summarisation", "research_synthesis"}) {
    std::printf("%s: %d right, %d wrong\n", label, right[label], wrong[label]);
    all_right += right[label];
    all_wrong += wrong[label];
  }
  EXPECT_LE(all_wrong * 10, all_right + all_wrong);
}

TEST(TaskDataTest, RequestShapesGetTheLabelOfTheirRuleOrNone) {
  std::ifstream file("../shared/data/routing/shapes.jsonl");
  if (!file) GTEST_SKIP() << "no shared test data beside this checkout";
  const std::map<std::string, std::string> expected = {
      {"title or topic generation", "background_utility"},
      {"quota probe", "background_utility"},
      {"client asked for its small model, no tools", "background_utility"},
      {"code review of a diff", "code_review"},
      {"summary of a local note", "summarisation"},
      {"beyond local context", "research_synthesis"},
      {"beyond one million tokens", "research_synthesis"},
  };
  std::string line;
  while (std::getline(file, line)) {
    const std::string user = field(line, "last_user");
    const std::string system = field(line, "system");
    const std::string model = field(line, "model");
    RequestFacts facts;
    facts.model = model;
    facts.turns = static_cast<std::size_t>(number(line, "turns"));
    facts.max_tokens = number(line, "max_tokens");
    facts.input_tokens = number(line, "est_input_tokens");
    facts.images = number(line, "images") > 0;
    facts.tools = line.find("\"tools\": []") == std::string::npos;
    facts.structured = line.find("response_format") != std::string::npos;
    facts.last_user = user;
    facts.system_start = system;
    const std::string label(task_label(facts));
    const std::string rule = field(line, "rule");
    const auto wanted = expected.find(rule);
    if (wanted != expected.end()) {
      EXPECT_EQ(label, wanted->second) << rule << ": " << field(line, "id");
    } else if (!label.empty()) {
      std::printf("%s for \"%s\" (%s)\n", label.c_str(), rule.c_str(), field(line, "id").c_str());
    }
  }
}

}  // namespace
}  // namespace nl::router
