#include <gtest/gtest.h>

#include <algorithm>

#include "config/config.h"

namespace nl::config {
namespace {

Result<Config> parse(std::string_view text, const char* hook = "") {
  Environment environment;
  environment.set("HOME", "/home/someone");
  environment.set("HOOK", hook);
  return parse_config(text, "/c.toml", ConfigSource(), environment);
}

std::string mistake(std::string_view text) {
  const auto config = parse(text);
  return config ? "" : config.error().message;
}

TEST(ConfigNotify, NobodyIsToldUnlessAskedFor) {
  const auto config = parse("");
  ASSERT_TRUE(config);
  EXPECT_FALSE(config->notify.desktop);
  EXPECT_FALSE(config->notify.webhook);
}

TEST(ConfigNotify, AWebhookKeepsItsPathAndQuery) {
  const auto config = parse("[notify]\nwebhook = \"env:HOOK\"\ndesktop = true\nquiet_s = 5\n",
                            "https://hooks.example:8443/a/b/?sig=x%20y#part");
  ASSERT_TRUE(config) << config.error().message;
  ASSERT_TRUE(config->notify.webhook);
  EXPECT_EQ(config->notify.webhook->target.reveal(), "/a/b/?sig=x%20y");
  EXPECT_EQ(config->notify.webhook->endpoint.host, "hooks.example");
  EXPECT_EQ(config->notify.webhook->endpoint.port, 8443);
  EXPECT_TRUE(config->notify.desktop);
  EXPECT_EQ(config->notify.quiet, std::chrono::seconds(5));
  // The variable is cleared with those of keys.
  EXPECT_EQ(std::ranges::count(config->key_variables, "HOOK"), 1);
}

TEST(ConfigNotify, AVariableThatIsNotSetIsAWarning) {
  const auto config = parse("[notify]\nwebhook = \"env:HOOK\"\n");
  ASSERT_TRUE(config);
  EXPECT_FALSE(config->notify.webhook);
  ASSERT_EQ(config->warnings.size(), 1u);
  EXPECT_NE(config->warnings[0].find("/c.toml:2:11: HOOK is not set"), std::string::npos);
}

TEST(ConfigNotify, WhatIsNoAddressOrPlainIsRefusedWithoutShowingIt) {
  for (const char* text :
       {"webhook = \"hooks\"", "webhook = \"http://hooks.example/s3cret\"",
        "webhook = \"https://hooks.example/s3 cret\"", "webhook = \"ftp://x/s3cret\""}) {
    const std::string message = mistake(std::string("[notify]\n") + text);
    EXPECT_TRUE(message.starts_with("/c.toml:2:11: ")) << message;
    EXPECT_EQ(message.find("s3"), std::string::npos) << message;
  }
  EXPECT_EQ(mistake("[notify]\nwebhook = \"http://127.0.0.1:9000/x\"\n"), "");
}

}  // namespace
}  // namespace nl::config
