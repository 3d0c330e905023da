#include "engine/progress_watch.h"

#include <gtest/gtest.h>

#include <string>

namespace nl::engine {
namespace {

using std::chrono::seconds;

std::string slot(const char* work, int decoded) {
  return std::string("[{\"id\":0,\"is_processing\":false},{\"id\":1,\"is_processing\":") + work +
         ",\"n_decoded\":" + std::to_string(decoded) + "}]";
}

class ProgressWatchTest : public ::testing::Test {
 protected:
  void SetUp() override { watch.begin(at(0)); }
  static Instant at(int second) { return Instant(seconds(1000 + second)); }

  ProgressWatch watch{ProgressLimits()};
};

TEST_F(ProgressWatchTest, idleness_is_no_hang) {
  for (int i = 0; i < 1000; i += 5) {
    watch.report(slot("false", 3), at(i));
    EXPECT_FALSE(watch.hangs(at(i)));
  }
}

TEST_F(ProgressWatchTest, work_that_moves_is_no_hang) {
  for (int i = 0; i < 1000; i += 25) {
    watch.report(slot("true", i), at(i));
    EXPECT_FALSE(watch.hangs(at(i)));
  }
}

TEST_F(ProgressWatchTest, work_that_stands_still_is_one) {
  for (int i = 0; i <= 30; i += 5) {
    watch.report(slot(" true", 3), at(i));
    EXPECT_EQ(watch.hangs(at(i)), i == 30) << i;
  }
  watch.report(slot("true", 4), at(35));
  EXPECT_FALSE(watch.hangs(at(35)));
  EXPECT_TRUE(watch.moved_since(at(30)));
}

TEST_F(ProgressWatchTest, silence_is_borne_longer) {
  watch.report(slot("true", 3), at(0));
  EXPECT_FALSE(watch.hangs(at(119)));
  EXPECT_TRUE(watch.hangs(at(120)));
  watch.report("", at(125));
  EXPECT_FALSE(watch.hangs(at(125)));
}

}  // namespace
}  // namespace nl::engine
