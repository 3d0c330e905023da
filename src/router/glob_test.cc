#include <gtest/gtest.h>

#include <string>

#include "router/planner.h"

namespace nl::router {
namespace {

TEST(GlobTest, KnowsStarAndQuestionMarkOnly) {
  EXPECT_TRUE(glob_match("*", ""));
  EXPECT_TRUE(glob_match("claude-haiku-*", "claude-haiku-4-5"));
  EXPECT_FALSE(glob_match("claude-haiku-*", "claude-opus-4-5"));
  EXPECT_TRUE(glob_match("gpt-?", "gpt-5"));
  EXPECT_FALSE(glob_match("gpt-?", "gpt-55"));
  EXPECT_TRUE(glob_match("*mini*", "gpt-5-mini-2025"));
  EXPECT_TRUE(glob_match("a*b*c", "aXbXbXc"));
  EXPECT_FALSE(glob_match("a*b*c", "aXbXbX"));
  EXPECT_TRUE(glob_match("[x].y", "[x].y"));
  EXPECT_FALSE(glob_match("", "x"));
  EXPECT_TRUE(glob_match("", ""));
  const std::string long_text(20'000, 'a');
  EXPECT_FALSE(glob_match("*a*a*a*a*b", long_text));
}

}  // namespace
}  // namespace nl::router
