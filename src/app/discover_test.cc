#include "app/discover.h"

#include <gtest/gtest.h>

namespace nl::app {
namespace {

TEST(Discover, TakesTheModelsThatChat) {
  EXPECT_EQ(chat_models(R"({"object":"list","data":[{"id":"gemma4:26b"},{"id":"nomic-embed-text"},)"
                        R"({"id":"with space"},{"name":"no id"},{"id":"qwen3:8b"}]})"),
            (std::vector<std::string>{"gemma4:26b", "qwen3:8b"}));
}

TEST(Discover, ReadsOllamasOwnList) {
  EXPECT_EQ(chat_models(R"({"models":[{"name":"gemma4:26b","model":"gemma4:26b"},)"
                        R"({"name":"nomic-embed-text:latest"},{"id":"x"}]})"),
            (std::vector<std::string>{"gemma4:26b"}));
}

TEST(Discover, LeavesOutWhatRunsElsewhere) {
  EXPECT_EQ(chat_models(R"({"models":[{"name":"gpt-oss:120b-cloud"},{"name":"kimi-k2:cloud"},)"
                        R"({"name":"gemma4:e4b"}]})"),
            (std::vector<std::string>{"gemma4:e4b"}));
}

TEST(Discover, WhatIsNoListIsNothing) {
  for (const char* json : {"", "<html>", "[]", "{}", R"({"data":{}})", R"({"data":[1,null]})",
                           R"({"models":{}})", R"({"models":[1]})"}) {
    EXPECT_TRUE(chat_models(json).empty()) << json;
  }
}

TEST(Discover, NeverAsksThisGateway) {
  Environment environment;
  environment.set("HOME", "/home/someone");
  const auto config = config::parse_config(
      "listen = \"127.0.0.1:11434\"\n[tiers]\nlocal = [\"ollama\"]\n", "/c", {}, environment);
  ASSERT_TRUE(config);
  EXPECT_TRUE(discover(*config, std::chrono::seconds(1)).empty());
}

}  // namespace
}  // namespace nl::app
