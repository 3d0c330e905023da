#include "app/plan_questions.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <deque>
#include <filesystem>
#include <fstream>

namespace nl::app {
namespace {

using Words = std::vector<std::string>;

// A person who says `lines` and then ends the input.
class PlanQuestions : public testing::Test {
 protected:
  PlanQuestions() {
    char name[] = "/tmp/nightlight-plan-XXXXXX";
    home_ = mkdtemp(name);
    std::ofstream(file()) << "x";
  }
  ~PlanQuestions() override { std::filesystem::remove_all(home_); }

  std::string file() const { return home_ + "/my report.txt"; }
  PlanTalk talk() {
    PlanTalk talk;
    talk.ask = [this](std::string_view question) -> std::optional<std::string> {
      asked_.emplace_back(question);
      if (lines_.empty()) return std::nullopt;
      std::string line = lines_.front();
      lines_.pop_front();
      return line;
    };
    talk.tell = [this](std::string_view line) { told_ += line; };
    talk.run = [this](const Words& words) {
      ran_.push_back(words);
      if (statuses_.empty()) return 0;
      const int status = statuses_.front();
      statuses_.pop_front();
      return status;
    };
    talk.home = home_;
    return talk;
  }
  std::optional<int> does(StepId id, std::deque<std::string> lines) {
    lines_ = std::move(lines);
    ran_.clear();
    StepFacts facts;
    facts.choice = fits_ ? "Gemma 4 E4B, 5.2 GB" : "";
    return do_step(first_steps(facts)[static_cast<std::size_t>(id)], talk());
  }
  Said whether(std::deque<std::string> lines) {
    lines_ = std::move(lines);
    return ask_whether(talk());
  }

  std::string home_;
  bool fits_ = true;
  std::deque<std::string> lines_;
  std::deque<int> statuses_;
  std::vector<std::string> asked_;
  std::string told_;
  std::vector<Words> ran_;
};

TEST_F(PlanQuestions, a_step_is_done_only_on_a_yes) {
  for (const char* yes : {"", "y", "Yes"}) EXPECT_EQ(whether({yes}), Said::run) << yes;
  for (const char* no : {"s", "S", "n", "No", "skip"}) EXPECT_EQ(whether({no}), Said::skip) << no;
  for (const char* end : {"q", "Quit"}) EXPECT_EQ(whether({end}), Said::quit) << end;
  EXPECT_EQ(whether({}), Said::quit);
  EXPECT_EQ(whether({"what?", "s"}), Said::skip) << "what is not understood is asked again";
}

TEST_F(PlanQuestions, every_question_can_be_left) {
  for (const StepId id : {StepId::model, StepId::ask, StepId::tasks}) {
    EXPECT_FALSE(does(id, {})) << name(id);
    EXPECT_TRUE(ran_.empty()) << name(id);
  }
  EXPECT_FALSE(does(StepId::model, {"s"}));
  EXPECT_FALSE(does(StepId::ask, {""}));
  EXPECT_FALSE(does(StepId::ask, {file()})) << "left at the second question";
  EXPECT_FALSE(does(StepId::tasks, {""}));
  EXPECT_FALSE(does(StepId::tasks, {"digest"}));
  EXPECT_FALSE(does(StepId::tasks, {"digest", "Sum it up"}));
  EXPECT_FALSE(does(StepId::tasks, {"digest", "Sum it up", ""}));
  EXPECT_TRUE(ran_.empty());
}

TEST_F(PlanQuestions, a_model_is_the_one_that_fits_or_the_one_that_was_named) {
  EXPECT_EQ(does(StepId::model, {""}), 0);
  EXPECT_EQ(ran_, (std::vector<Words>{{"pull"}}));
  EXPECT_EQ(does(StepId::model, {"gemma4:e2b"}), 0);
  EXPECT_EQ(ran_, (std::vector<Words>{{"pull", "gemma4:e2b"}}));
  fits_ = false;
  EXPECT_FALSE(does(StepId::model, {""})) << "there is none to be the default";
  EXPECT_EQ(does(StepId::model, {"~/small.gguf"}), 0);
  EXPECT_EQ(ran_, (std::vector<Words>{{"pull", home_ + "/small.gguf"}}));
}

TEST_F(PlanQuestions, a_file_is_found_as_a_terminal_writes_it) {
  const Words wanted = {"ask", file(), "Sum it up in five lines"};
  for (const std::string& typed : {file(), "'" + file() + "'", std::string("~/my report.txt"),
                                   std::string("~/my\\ report.txt"), home_ + "/my\\ report.txt"}) {
    EXPECT_EQ(does(StepId::ask, {typed, ""}), 0) << typed;
    EXPECT_EQ(ran_, std::vector<Words>{wanted}) << typed;
  }
  EXPECT_EQ(does(StepId::ask, {"/nowhere/x", file(), "Who wrote it?"}), 0);
  EXPECT_NE(told_.find("There is no file /nowhere/x"), std::string::npos);
  EXPECT_EQ(ran_.front().back(), "Who wrote it?");
}

TEST_F(PlanQuestions, a_task_is_kept_as_soon_as_it_is_told) {
  EXPECT_EQ(does(StepId::tasks, {"digest", "Sum it up", file(), "summarisation", "mail", "Reply",
                                 "", "", "third", "And then"}),
            0);
  EXPECT_EQ(ran_,
            (std::vector<Words>{{"tasks", "add", "digest", "--prompt", "Sum it up", "--input",
                                 file(), "--label", "summarisation"},
                                {"tasks", "add", "mail", "--prompt", "Reply", "--text", "Reply"}}));
}

TEST_F(PlanQuestions, a_mistake_in_a_task_is_asked_again) {
  statuses_ = {2, 0};
  EXPECT_EQ(does(StepId::tasks, {"My Task", "mine", "", "mine", "Do it", "", "cooking", "?", "",
                                 "mine-2", "Do it", "", "translation", ""}),
            2)
      << "that name is taken; the step goes on";
  EXPECT_EQ(ran_.size(), 2U);
  EXPECT_EQ(ran_.back().back(), "translation");
  EXPECT_NE(told_.find("as in mail-triage"), std::string::npos);
  EXPECT_NE(told_.find("drafting_email"), std::string::npos);
}

TEST_F(PlanQuestions, what_was_not_run_is_not_graded) {
  statuses_ = {2};
  EXPECT_EQ(does(StepId::compare, {}), 2);
  EXPECT_EQ(ran_.size(), 1U);
  statuses_ = {1, 0};
  EXPECT_EQ(does(StepId::compare, {}), 1) << "a target that failed leaves the others to be graded";
  EXPECT_EQ(ran_.back(), (Words{"tasks", "grade"}));
}

}  // namespace
}  // namespace nl::app
