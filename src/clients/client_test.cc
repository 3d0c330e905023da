#include "clients/client.h"

#include <gtest/gtest.h>

#include <map>

namespace nl::clients {
namespace {

constexpr const char* kUrl = "http://127.0.0.1:2300";

std::map<std::string, std::string> run_variables(const char* client, const Wanted& wanted,
                                                 const std::string& content = "") {
  const auto all =
      variables_for_run(*client_named(client), wanted, [&](const std::string&) { return content; });
  std::map<std::string, std::string> found;
  if (!all) return {{"refused", all.error().message}};
  for (const Setting& one : *all) found[one.path.back()] = one.value;
  return found;
}

TEST(OneRun, SetsWhatConnectWouldAndNothingForAnApiThatIsNotServed) {
  EXPECT_EQ(run_variables("claude", {kUrl, "", "", ""}),
            (std::map<std::string, std::string>{{"ANTHROPIC_BASE_URL", kUrl}}));
  EXPECT_EQ(run_variables("claude", {kUrl, "status", "word", ""}),
            (std::map<std::string, std::string>{{"ANTHROPIC_BASE_URL", kUrl},
                                                {"ANTHROPIC_AUTH_TOKEN", "word"}}));
  const std::string content =
      run_variables("opencode", {kUrl, "", "word", ""})["OPENCODE_CONFIG_CONTENT"];
  EXPECT_NE(content.find(R"("baseURL": "http://127.0.0.1:2300/v1")"), std::string::npos) << content;
  EXPECT_NE(content.find(R"("apiKey": "word")"), std::string::npos) << content;
  EXPECT_EQ(content.find("openai"), std::string::npos) << content;
  EXPECT_TRUE(run_variables("pi", {kUrl, "", "", ""}).contains("refused"));
}

TEST(OneRun, QwenCodeIsToldItsWayToLogInButItsSubcommandsAreNot) {
  EXPECT_EQ(run_variables("qwen", {kUrl, "", "word", ""}),
            (std::map<std::string, std::string>{{"OPENAI_BASE_URL", std::string(kUrl) + "/v1"},
                                                {"OPENAI_API_KEY", "word"}}));
  using Words = std::vector<std::string>;
  const auto words = [](const char* client, const Words& given) {
    return words_for_run(*client_named(client), given);
  };
  EXPECT_EQ(words("qwen", {}), (Words{"--auth-type", "openai"}));
  EXPECT_EQ(words("qwen", {"-p", "mcp"}), (Words{"--auth-type", "openai", "-p", "mcp"}));
  EXPECT_EQ(words("qwen", {"mcp", "list"}), (Words{"mcp", "list"}));
  for (const Words& stated :
       {Words{"--auth-type", "gemini"}, Words{"-p", "x", "--auth-type=gemini"}}) {
    EXPECT_EQ(words("qwen", stated), stated);
  }
  EXPECT_EQ(words("claude", {"-p", "x"}), (Words{"-p", "x"}));
}

TEST(OneRun, KeepsAConfigurationThatTheVariableHoldsAlready) {
  const auto kept = run_variables("opencode", {kUrl, "", "", ""}, R"({"theme": "mine"})");
  const std::string content = kept.at("OPENCODE_CONFIG_CONTENT");
  EXPECT_NE(content.find(R"("theme": "mine")"), std::string::npos) << content;
  EXPECT_NE(content.find(kUrl), std::string::npos) << content;
  const auto broken = run_variables("opencode", {kUrl, "", "", ""}, "{oops");
  EXPECT_NE(broken.at("refused").find("OPENCODE_CONFIG_CONTENT: line 1"), std::string::npos);
}

}  // namespace
}  // namespace nl::clients
