#include "engine/retries.h"

#include <gtest/gtest.h>

namespace nl::engine {
namespace {

using std::chrono::seconds;

Error status(int value, int retry_after = 0) {
  Error error(ErrorCode::status, "refused", value);
  error.retry_after = retry_after;
  return error;
}

TEST(Retries, pauses_double_until_it_is_given_up) {
  Retries retries(8, seconds(1));
  for (const int pause : {1, 2, 4, 8, 16, 32, 32}) {
    EXPECT_EQ(retries.pause_after(status(503)), seconds(pause));
  }
  EXPECT_FALSE(retries.pause_after(status(503)));
}

TEST(Retries, progress_starts_over) {
  Retries retries(3, seconds(1));
  EXPECT_EQ(retries.pause_after(Error(ErrorCode::reset, "broke")), seconds(1));
  EXPECT_EQ(retries.pause_after(Error(ErrorCode::reset, "broke")), seconds(2));
  retries.start_over();
  EXPECT_EQ(retries.pause_after(Error(ErrorCode::reset, "broke")), seconds(1));
}

TEST(Retries, the_other_side_s_wish_counts_where_it_is_longer_and_bearable) {
  Retries retries(6, seconds(4));
  EXPECT_EQ(retries.pause_after(status(429, 30)), seconds(30));
  EXPECT_EQ(retries.pause_after(status(429, 1)), seconds(8));
  EXPECT_FALSE(retries.pause_after(status(429, 3600)));
}

TEST(Retries, what_will_not_pass_is_not_tried_again) {
  Retries retries(6, seconds(1));
  EXPECT_FALSE(retries.pause_after(status(404)));
  EXPECT_FALSE(retries.pause_after(Error(ErrorCode::config, "no such place")));
}

}  // namespace
}  // namespace nl::engine
