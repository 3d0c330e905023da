#include "engine/restart_policy.h"

#include <gtest/gtest.h>

#include <vector>

namespace nl::engine {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(RestartPolicy, pauses_double_up_to_the_longest_and_an_answer_sets_them_back) {
  RestartPolicy policy;
  const Instant now = Instant(seconds(1000));
  std::vector<std::int64_t> pauses;
  for (int i = 0; i < 9; ++i) {
    policy.failed(now);
    pauses.push_back(std::chrono::duration_cast<milliseconds>(policy.again_at() - now).count());
  }
  EXPECT_EQ(pauses,
            (std::vector<std::int64_t>{500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000}));
  policy.ready(now);
  policy.failed(now);
  EXPECT_EQ(policy.again_at() - now, seconds(30));
  policy.ready(now);
  policy.answered();
  policy.failed(now);
  EXPECT_EQ(policy.again_at() - now, milliseconds(500));
}

TEST(RestartPolicy, five_failures_in_a_row_are_the_end) {
  RestartPolicy policy;
  const Instant now = Instant(seconds(1000));
  for (int i = 0; i < 4; ++i) policy.failed(now);
  policy.ready(now);
  policy.answered();
  for (int i = 0; i < 4; ++i) policy.failed(now);
  EXPECT_FALSE(policy.given_up());
  policy.failed(now);
  EXPECT_TRUE(policy.given_up());
  policy.asked();
  EXPECT_FALSE(policy.given_up());
  EXPECT_LE(policy.again_at(), now);
}

TEST(RestartPolicy, being_ready_alone_is_no_merit) {
  RestartPolicy policy;
  Instant now = Instant(seconds(1000));
  for (int i = 0; i < 5; ++i) {
    EXPECT_FALSE(policy.given_up());
    policy.ready(now);
    now += seconds(59);
    policy.failed(now);
  }
  EXPECT_TRUE(policy.given_up());
}

TEST(RestartPolicy, a_long_quiet_run_is_a_good_one) {
  RestartPolicy policy;
  Instant now = Instant(seconds(1000));
  for (int i = 0; i < 20; ++i) {
    policy.ready(now);
    now += RestartPolicy::kGoodAfter;
    policy.failed(now);
    EXPECT_EQ(policy.failures(), 1);
  }
}

TEST(RestartPolicy, one_who_waits_gets_one_more_try_now_and_then) {
  RestartPolicy policy;
  Instant now = Instant(seconds(1000));
  EXPECT_FALSE(policy.allow_one_more(now));
  for (int i = 0; i < 5; ++i) policy.failed(now);
  EXPECT_FALSE(policy.allow_one_more(now + seconds(31)));
  now += seconds(60);
  EXPECT_TRUE(policy.allow_one_more(now));
  EXPECT_FALSE(policy.given_up());
  policy.failed(now);
  EXPECT_TRUE(policy.given_up());
  EXPECT_FALSE(policy.allow_one_more(now + seconds(1)));
}

}  // namespace
}  // namespace nl::engine
