#include "app/profiles.h"

#include <gtest/gtest.h>

#include "app/profiles_built_in.h"

namespace nl::app {
namespace {

TEST(Profiles, the_built_in_ones_are_well_formed_and_known_by_their_clients) {
  for (const std::string_view text : kBuiltInProfiles) {
    const auto profile = parse_profile(text, "built-in");
    ASSERT_TRUE(profile) << profile.error().message;
    EXPECT_FALSE(profile->system.empty());
  }
  const Profiles loaded = load_profiles(Environment());
  EXPECT_TRUE(loaded.warnings.empty());
  EXPECT_EQ(standby::profile_for(loaded.list, "claude-cli/2.1 (external)").name, "claude-code");
  EXPECT_EQ(standby::profile_for(loaded.list, "curl/8").name, "generic");
  EXPECT_NE(built_in_profiles().find("name = \"claude-code\""), std::string::npos);
}

TEST(Profiles, mistakes_are_named_with_their_line) {
  const auto wrong = parse_profile("name = \"x\"\nagents = [\"y\"]\nsistem = \"z\"\n", "mine.toml");
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().message.find("mine.toml:3"), std::string::npos);
  EXPECT_FALSE(parse_profile("name = \"x\"\n", "mine.toml"));
  EXPECT_FALSE(parse_profile("[[", "mine.toml"));
}

}  // namespace
}  // namespace nl::app
