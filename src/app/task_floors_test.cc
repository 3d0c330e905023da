#include "app/task_floors.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "base/whole_file.h"

namespace nl::app {
namespace {

work::Readiness shown(const std::string& task, const std::string& label, work::Verdict verdict) {
  work::Readiness made;
  made.task = task;
  made.label = label;
  made.target = "engine/gemma4:e4b";
  made.verdict = verdict;
  return made;
}

TEST(TaskFloors, OneTaskThatIsNotReadyDecidesForItsLabel) {
  using work::Verdict;
  for (const bool safe_first : {true, false}) {
    router::Policy policy;
    add_proofs(policy,
               {shown("a", "summarisation", safe_first ? Verdict::safe : Verdict::not_yet),
                shown("b", "summarisation", safe_first ? Verdict::not_yet : Verdict::safe),
                shown("c", "translation", Verdict::safe), shown("d", "", Verdict::not_yet)});
    ASSERT_EQ(policy.proofs.size(), 2u);
    EXPECT_EQ(policy.proofs["summarisation"]["engine/gemma4:e4b"], router::Proof::not_yet);
    EXPECT_EQ(policy.proofs["translation"]["engine/gemma4:e4b"], router::Proof::safe);
  }
}

TEST(TaskFloors, AreReadFromTheStateFolder) {
  std::string folder = std::filesystem::temp_directory_path() / "nl-floors-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  config::Config config;
  config.state_dir = folder;
  Routing routing;
  EXPECT_EQ(add_task_floors(routing, config), "");
  EXPECT_TRUE(routing.policy.proofs.empty());
  EXPECT_EQ(floors_stamp(config), "");
  const std::string file = work::readiness_file(folder + "/tasks");
  ASSERT_TRUE(write_whole_file(
      file, work::readiness_json({shown("a", "summarisation", work::Verdict::not_yet)})));
  EXPECT_EQ(add_task_floors(routing, config), "");
  EXPECT_EQ(routing.policy.proofs["summarisation"]["engine/gemma4:e4b"], router::Proof::not_yet);
  const std::string stamp = floors_stamp(config);
  EXPECT_NE(stamp, "");
  EXPECT_EQ(floors_stamp(config), stamp);
  ASSERT_TRUE(write_whole_file(file, "nonsense"));
  EXPECT_NE(floors_stamp(config), stamp);
  EXPECT_NE(add_task_floors(routing, config), "");
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace nl::app
