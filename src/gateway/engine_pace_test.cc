#include "gateway/engine_pace.h"

#include <gtest/gtest.h>

namespace nl::gateway {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

class EnginePaceTest : public testing::Test {
 protected:
  Instant at(int second) const { return start_ + seconds(second); }
  int until() const {
    return static_cast<int>(std::chrono::duration_cast<seconds>(pace_.deadline() - start_).count());
  }

  GatewayOptions options_;  // reasoning 300 s, silence 30 s
  const Instant start_ = Instant() + minutes(1000);
  EnginePace pace_{options_, minutes(10), start_};
};

TEST_F(EnginePaceTest, TheFirstBatchMayTakeLong) {
  EXPECT_EQ(until(), 300);
  pace_.reads(at(1));
  EXPECT_EQ(until(), 301);
}

TEST_F(EnginePaceTest, ReadingHasNoBoundWhileItGoesOn) {
  for (int second = 0; second < 7200; second += 20) pace_.reads(at(second));
  EXPECT_EQ(until(), 7180 + 80);
}

TEST_F(EnginePaceTest, AFastReaderIsMissedSooner) {
  pace_.reads(at(0));
  pace_.reads(at(2));
  EXPECT_EQ(until(), 32);
  pace_.reads(at(22));
  EXPECT_EQ(until(), 22 + 80);
}

TEST_F(EnginePaceTest, TokensComeWithoutLongPauses) {
  pace_.reads(at(0));
  pace_.reads(at(100));
  pace_.writes(at(110));
  EXPECT_EQ(until(), 140);
  pace_.writes(at(690));
  EXPECT_EQ(until(), 700);  // ten minutes from the end of reading
  pace_.reads(at(695));     // a call that is held back
  EXPECT_EQ(until(), 700);
}

TEST_F(EnginePaceTest, ImagesAreEncodedInSilence) {
  pace_.has_images();
  pace_.reads(at(0));
  pace_.reads(at(1));
  EXPECT_EQ(until(), 301);
}

}  // namespace
}  // namespace nl::gateway
