#include "app/first_steps.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

namespace nl::app {
namespace {

bool done(const std::vector<Step>& steps, StepId id) {
  return steps[static_cast<std::size_t>(id)].done;
}

TEST(FirstSteps, begin_with_a_model_and_end_with_all_done) {
  StepFacts facts;
  facts.choice = "Gemma 4 E4B, 5.2 GB";
  std::vector<Step> steps = first_steps(facts);
  ASSERT_EQ(steps.size(), static_cast<std::size_t>(kSteps));
  ASSERT_TRUE(next_step(steps));
  EXPECT_EQ(next_step(steps)->id, StepId::model);
  EXPECT_EQ(next_step(steps)->said, "no model here yet; what fits: Gemma 4 E4B, 5.2 GB");
  EXPECT_NE(steps_text(steps).find("About 29 minutes are left."), std::string::npos)
      << steps_text(steps);

  facts.model = "gemma4:e4b";
  facts.tasks = facts.compared = 3;
  for (const StepId id : {StepId::ask, StepId::order, StepId::drill, StepId::sheet}) {
    EXPECT_FALSE(done(first_steps(facts), id));
    facts.record[id] = "2026-11-25";
    EXPECT_TRUE(done(first_steps(facts), id));
  }
  steps = first_steps(facts);
  EXPECT_FALSE(next_step(steps));
  EXPECT_NE(steps_text(steps).find("All of it is done."), std::string::npos);
}

TEST(FirstSteps, count_what_is_there_and_not_what_was_once_run) {
  StepFacts facts;
  facts.record = {{StepId::model, "2026-11-25"},
                  {StepId::tasks, "2026-11-25"},
                  {StepId::compare, "2026-11-25"}};
  facts.tasks = 4;
  facts.compared = 3;
  const std::vector<Step> steps = first_steps(facts);
  EXPECT_FALSE(done(steps, StepId::model)) << "it was removed again";
  EXPECT_TRUE(done(steps, StepId::tasks));
  EXPECT_FALSE(done(steps, StepId::compare)) << "the fourth task is new";
}

TEST(FirstSteps, say_so_where_no_size_fits) {
  const Step model = first_steps(StepFacts()).front();
  EXPECT_EQ(model.command, "pull FILE.gguf");
  EXPECT_NE(model.said.find("no size of Gemma 4 fits"), std::string::npos);
}

class Record : public testing::Test {
 protected:
  Record() {
    char name[] = "/tmp/nightlight-steps-XXXXXX";
    folder_ = mkdtemp(name);
  }
  ~Record() override {
    unlink(path().c_str());
    rmdir((folder_ + "/state").c_str());
    rmdir(folder_.c_str());
  }
  std::string path() const { return folder_ + "/state/plan.toml"; }
  std::string folder_;
};

TEST_F(Record, comes_back_as_it_was_written) {
  EXPECT_TRUE(read_steps(path())->empty()) << "no file yet";
  const StepRecord record = {{StepId::ask, "2026-11-25"}, {StepId::sheet, "2026-11-26"}};
  ASSERT_TRUE(write_steps(path(), record)) << "the folder is made";
  EXPECT_EQ(*read_steps(path()), record);
}

TEST_F(Record, refuses_damage_with_its_line) {
  ASSERT_TRUE(write_steps(path(), {}));
  std::ofstream(path()) << "[done]\nask = 2026-11-25x\n";
  const auto read = read_steps(path());
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message, path() + ":2: is damaged; `nightlight plan --again` begins anew");
  ASSERT_TRUE(write_steps(path(), {})) << "which is what that does";
  EXPECT_TRUE(read_steps(path())->empty());
}

}  // namespace
}  // namespace nl::app
