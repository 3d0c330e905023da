#include "work/grade.h"

#include <gtest/gtest.h>

#include <deque>

namespace nl::work {
namespace {

Entry entry(Side first) {
  Entry made;
  made.task = "mail";
  made.first = first;
  made.prompt = "Sort this.";
  made.local.answer = "LOCAL-ANSWER";
  made.cloud.answer = "CLOUD-ANSWER";
  return made;
}

TaskRun run_of(Entry made) {
  TaskRun run;
  run.id = "r1";
  run.entries.push_back(std::move(made));
  return run;
}

// What the user says and hears, line by line.
class Talk {
 public:
  explicit Talk(std::deque<std::string> lines) : lines_(std::move(lines)) {}
  GradeTalk talk() {
    return {[this](std::string_view text) { heard += text; },
            [this]() -> std::optional<std::string> {
              if (lines_.empty()) return std::nullopt;
              std::string line = lines_.front();
              lines_.pop_front();
              return line;
            }};
  }
  std::string heard;

 private:
  std::deque<std::string> lines_;
};

TEST(Grade, LettersAreTheBlindedOrder) {
  for (const Side first : {Side::local, Side::cloud}) {
    TaskRun run = run_of(entry(first));
    ASSERT_TRUE(apply_grade(run, "mail.1=a"));
    const Opinion& opinion = *run.entries[0].user;
    EXPECT_EQ(opinion.better, first == Side::local ? Better::local : Better::cloud);
    EXPECT_EQ(opinion.local_ok, first == Side::local);
    EXPECT_EQ(opinion.cloud_ok, first == Side::cloud);
    ASSERT_TRUE(apply_grade(run, "mail.1=B,ok"));
    EXPECT_EQ(opinion.better, first == Side::local ? Better::cloud : Better::local);
    EXPECT_TRUE(opinion.local_ok);
    EXPECT_TRUE(opinion.cloud_ok);
  }
}

TEST(Grade, SameAndNone) {
  TaskRun run = run_of(entry(Side::local));
  ASSERT_TRUE(apply_grade(run, "mail.1=same"));
  EXPECT_TRUE(run.entries[0].user->local_ok);
  ASSERT_TRUE(apply_grade(run, "mail.1=none"));
  EXPECT_EQ(run.entries[0].user->better, Better::same);
  EXPECT_FALSE(run.entries[0].user->local_ok);
}

TEST(Grade, SaysWhatIsWrongWithAWord) {
  TaskRun run = run_of(entry(Side::local));
  for (const char* word : {"mail.1", "mail.2=a", "other.1=a", "=a", "", "mail.1=c",
                           "mail.1=", "mail.1=same,ok", "mail.1=ok"}) {
    const auto applied = apply_grade(run, word);
    ASSERT_FALSE(applied) << word;
    EXPECT_EQ(applied.error().code, ErrorCode::config);
  }
  EXPECT_FALSE(run.entries[0].user);
}

TEST(Grade, ALocalAnswerAloneIsGoodEnoughOrNot) {
  TaskRun run = run_of(entry(Side::local));
  run.entries[0].cloud.trouble = "out";
  EXPECT_FALSE(apply_grade(run, "mail.1=a"));
  ASSERT_TRUE(apply_grade(run, "mail.1=ok"));
  EXPECT_TRUE(run.entries[0].user->local_ok);
  ASSERT_TRUE(apply_grade(run, "mail.1=no"));
  EXPECT_FALSE(run.entries[0].user->local_ok);
  run.entries[0].local.trouble = "gone";
  EXPECT_FALSE(apply_grade(run, "mail.1=ok"));
}

TEST(Grade, TheTalkShowsNoMakerAndReadsBothOrders) {
  for (const Side first : {Side::local, Side::cloud}) {
    Entry one = entry(first);
    Talk talk({"what", "1", "y"});
    EXPECT_EQ(grade_entry(one, talk.talk()), TalkGoes::on);
    const bool local_first = talk.heard.find("LOCAL-ANSWER") < talk.heard.find("CLOUD-ANSWER");
    EXPECT_EQ(local_first, first == Side::local);
    EXPECT_EQ(talk.heard.find("local"), std::string::npos) << talk.heard;
    ASSERT_TRUE(one.user);
    EXPECT_EQ(one.user->better, first == Side::local ? Better::local : Better::cloud);
    EXPECT_TRUE(one.user->local_ok);
    EXPECT_NE(talk.heard.find("Is B good enough"), std::string::npos);
    EXPECT_NE(talk.heard.find("please type one of"), std::string::npos);
  }
}

TEST(Grade, SkippingAndStoppingLeaveNoGrade) {
  Entry one = entry(Side::local);
  Talk skips({"s"});
  EXPECT_EQ(grade_entry(one, skips.talk()), TalkGoes::on);
  Talk stops({"q"});
  EXPECT_EQ(grade_entry(one, stops.talk()), TalkGoes::ends);
  Talk ends({"3"});  // and then no answer to the second question
  EXPECT_EQ(grade_entry(one, ends.talk()), TalkGoes::ends);
  EXPECT_FALSE(one.user);
}

}  // namespace
}  // namespace nl::work
