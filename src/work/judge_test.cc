#include "work/judge.h"

#include <gtest/gtest.h>

#include "dialect/json.h"

namespace nl::work {
namespace {

Entry entry() {
  Entry made;
  made.task = "mail";
  made.prompt = "Sort this mail.";
  made.local.answer = "LOCAL-ANSWER";
  made.cloud.answer = "CLOUD-ANSWER";
  return made;
}

std::string words(std::string_view better, std::string_view first_ok, std::string_view second_ok) {
  return R"({"better":")" + std::string(better) + R"(","first_good_enough":)" +
         std::string(first_ok) + R"(,"second_good_enough":)" + std::string(second_ok) +
         R"(,"why":"because"})";
}

Reading reading(Side first, std::string_view better) {
  Reading made;
  made.first = first;
  made.says = parse_judgement(words(better, "true", "true"), first)->opinion;
  return made;
}

TEST(Judge, SeesTheAnswersInTheOrderAskedForAndNoMaker) {
  const std::string one = judge_question(entry(), Side::local, "f1");
  const std::string two = judge_question(entry(), Side::cloud, "f1");
  EXPECT_LT(one.find("LOCAL-ANSWER"), one.find("CLOUD-ANSWER"));
  EXPECT_GT(two.find("LOCAL-ANSWER"), two.find("CLOUD-ANSWER"));
  EXPECT_NE(one.find("Sort this mail."), std::string::npos);
  for (const std::string* text : {&one, &two}) {
    EXPECT_EQ(text->find("local"), std::string::npos);
    EXPECT_EQ(text->find("cloud"), std::string::npos);
  }
  dialect::Document schema;
  EXPECT_TRUE(schema.parse(judge_schema()));
}

TEST(Judge, ReadsAVerdictByPosition) {
  const auto first = parse_judgement(words("first", "true", "false"), Side::cloud);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->opinion.better, Better::cloud);
  EXPECT_TRUE(first->opinion.cloud_ok);
  EXPECT_FALSE(first->opinion.local_ok);
  EXPECT_EQ(first->why, "because");
  const auto second = parse_judgement(words("second", "true", "false"), Side::cloud);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->opinion.better, Better::local);
  const auto same =
      parse_judgement(" ```json\n" + words("same", "true", "true") + "\n``` ", Side::local);
  ASSERT_TRUE(same);
  EXPECT_EQ(same->opinion.better, Better::same);
}

TEST(Judge, RefusesWhatIsNoVerdict) {
  for (const std::string& text :
       {std::string("The first one."), std::string("[]"), std::string("{}"), std::string(),
        words("local", "true", "true"), words("first", "1", "true"), words("first", "true", "null"),
        words("first", "true", "true") + words("first", "true", "true"),
        std::string(R"({"better":"first","better":"second","first_good_enough":true,)"
                    R"("second_good_enough":true,"why":""})")}) {
    const auto says = parse_judgement(text, Side::local);
    ASSERT_FALSE(says) << text;
    EXPECT_EQ(says.error().code, ErrorCode::not_an_answer);
  }
}

TEST(Judge, OnlyWhatSurvivesTheSwapCounts) {
  const auto consistent = agreed({reading(Side::local, "first"), reading(Side::cloud, "second")});
  ASSERT_TRUE(consistent);
  EXPECT_EQ(consistent->better, Better::local);
  const auto likes_the_first =
      agreed({reading(Side::local, "first"), reading(Side::cloud, "first")});
  ASSERT_TRUE(likes_the_first);
  EXPECT_EQ(likes_the_first->better, Better::same);
  const auto half = agreed({reading(Side::local, "same"), reading(Side::cloud, "first")});
  ASSERT_TRUE(half);
  EXPECT_EQ(half->better, Better::same);
}

TEST(Judge, GoodEnoughMeansInBothOrders) {
  Reading one = reading(Side::local, "same");
  Reading two = reading(Side::cloud, "same");
  two.says->local_ok = false;
  const auto opinion = agreed({one, two});
  ASSERT_TRUE(opinion);
  EXPECT_FALSE(opinion->local_ok);
  EXPECT_TRUE(opinion->cloud_ok);
}

TEST(Judge, OneReadingOrTwoInTheSameOrderAreNone) {
  EXPECT_FALSE(agreed({}));
  EXPECT_FALSE(agreed({reading(Side::local, "first")}));
  EXPECT_FALSE(agreed({reading(Side::local, "first"), reading(Side::local, "first")}));
  Reading mute = reading(Side::cloud, "second");
  mute.says.reset();
  EXPECT_FALSE(agreed({reading(Side::local, "first"), mute}));
}

}  // namespace
}  // namespace nl::work
