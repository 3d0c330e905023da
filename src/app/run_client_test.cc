#include "app/run_client.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "app/client_login.h"
#include "base/process.h"

namespace nl::app {
namespace {

Environment with(std::initializer_list<const char*> names) {
  Environment environment;
  for (const char* name : names) environment.set(name, "something");
  return environment;
}

const clients::Client& client(const char* name) {
  return *clients::client_named(name);
}

TEST(RunClient, CredentialsInTheEnvironmentStayAsTheyAre) {
  for (const char* name :
       {"ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN"}) {
    EXPECT_EQ(stand_in_for(client("claude"), with({name}), {}).word, "") << name;
  }
  EXPECT_EQ(stand_in_for(client("opencode"), with({"ANTHROPIC_API_KEY"}), {}).word, "");
  // opencode does not read that one.
  EXPECT_EQ(stand_in_for(client("opencode"), with({"ANTHROPIC_AUTH_TOKEN"}), {}).word,
            clients::kStandIn);
}

TEST(RunClient, AKeyBesideAnotherAddressIsNotForOpenAi) {
  Environment environment = with({"OPENAI_API_KEY"});
  EXPECT_EQ(stand_in_for(client("qwen"), environment, {}).word, "");
  environment.set("OPENAI_BASE_URL", "https://api.openai.com/v1");
  EXPECT_EQ(stand_in_for(client("qwen"), environment, {}).word, "");
  environment.set("OPENAI_BASE_URL", "https://other.example/v1");
  EXPECT_EQ(stand_in_for(client("qwen"), environment, {}).word, clients::kStandIn);
  EXPECT_EQ(stand_in_for(client("qwen"), with({"ANTHROPIC_API_KEY"}), {}).word, clients::kStandIn);
}

TEST(RunClient, AClientWithoutAnyCredentialGetsAStandIn) {
  for (const char* name : {"claude", "opencode", "qwen"}) {
    EXPECT_EQ(stand_in_for(client(name), with({}), {}).word, "nightlight") << name;
  }
}

TEST(RunClient, AGatewayThatAsksForATokenGetsIt) {
  const std::vector<Secret> tokens = {Secret("gateway-token")};
  constexpr std::array<std::array<const char*, 2>, 3> kKeys = {{{"claude", "ANTHROPIC_API_KEY"},
                                                                {"opencode", "ANTHROPIC_API_KEY"},
                                                                {"qwen", "OPENAI_API_KEY"}}};
  for (const auto& [name, key] : kKeys) {
    EXPECT_EQ(stand_in_for(client(name), with({}), tokens).word, "gateway-token") << name;
    const StandIn other = stand_in_for(client(name), with({key}), tokens);
    EXPECT_EQ(other.word, "");
    EXPECT_NE(other.warning.find(std::string("set ") + key + " to"), std::string::npos)
        << other.warning;
    Environment right;
    right.set(key, "gateway-token");
    EXPECT_EQ(stand_in_for(client(name), right, tokens).warning, "") << name;
  }
}

TEST(RunClient, TheGatewayGetsTheSameConfiguration) {
  CliOptions options;
  options.config.path = "/etc/n.toml";
  options.config.listen = {"127.0.0.1:1"};
  options.config.workers = 2;
  EXPECT_EQ(gateway_command(options, "/bin/nightlight"),
            (std::vector<std::string>{"/bin/nightlight", "--config", "/etc/n.toml", "--listen",
                                      "127.0.0.1:1", "--workers", "2", "up"}));
}

class Home : public testing::Test {
 protected:
  Home() {
    char name[] = "/tmp/nightlight-run-XXXXXX";
    folder_ = mkdtemp(name);
    environment_.set("HOME", folder_);
  }
  ~Home() override {
    std::error_code error;
    std::filesystem::remove_all(folder_, error);
  }
  std::string folder_;
  Environment environment_;
};

TEST_F(Home, ALoginOfClaudeCodeIsSeen) {
  EXPECT_FALSE(has_claude_login(environment_));
  std::ofstream(folder_ + "/.claude.json") << R"({"numStartups":3})";
  EXPECT_FALSE(has_claude_login(environment_));
  mkdir((folder_ + "/.claude").c_str(), 0700);
  std::ofstream(folder_ + "/.claude/.credentials.json") << "{}";
  EXPECT_TRUE(has_claude_login(environment_));
  unlink((folder_ + "/.claude/.credentials.json").c_str());
  std::ofstream(folder_ + "/.claude.json") << R"({"oauthAccount":{}})";
  EXPECT_TRUE(has_claude_login(environment_));
}

TEST_F(Home, SettingsHoldALoginOnlyWhenTheWordIsNotOurs) {
  mkdir((folder_ + "/.claude").c_str(), 0700);
  const auto with_settings = [&](const char* text) {
    std::ofstream(folder_ + "/.claude/settings.json") << text;
    return has_claude_login(environment_);
  };
  EXPECT_FALSE(with_settings(R"({"env": {"ANTHROPIC_AUTH_TOKEN": "nightlight"}})"));
  EXPECT_FALSE(with_settings(R"json({"permissions": {"deny": ["Read(ANTHROPIC_API_KEY)"]}})json"));
  EXPECT_TRUE(with_settings(R"({"env": {"ANTHROPIC_AUTH_TOKEN": "mine"}})"));
  EXPECT_TRUE(with_settings(R"({"apiKeyHelper": "/bin/key"})"));
}

TEST_F(Home, AnAddressInClaudesSettingsIsSeenTheProjectsFirst) {
  EXPECT_EQ(claude_address(environment_, folder_ + "/project").url, "");
  std::filesystem::create_directories(folder_ + "/.claude");
  std::filesystem::create_directories(folder_ + "/project/.claude");
  const std::string mine = folder_ + "/.claude/settings.json";
  std::ofstream(mine) << R"({"env": {"ANTHROPIC_BASE_URL": "https://mine.example"}})";
  EXPECT_EQ(claude_address(environment_, folder_ + "/project").file, mine);
  std::ofstream(folder_ + "/project/.claude/settings.json")
      << R"({"env": {"ANTHROPIC_BASE_URL": "https://project.example"}})";
  EXPECT_EQ(claude_address(environment_, folder_ + "/project").url, "https://project.example");
}

TEST_F(Home, ALoginOfOpencodeIsSeen) {
  EXPECT_FALSE(has_credential(client("opencode"), environment_));
  std::filesystem::create_directories(folder_ + "/.local/share/opencode");
  std::ofstream(folder_ + "/.local/share/opencode/auth.json") << R"({"openai": {"type": "api"}})";
  EXPECT_FALSE(has_credential(client("opencode"), environment_));
  std::ofstream(folder_ + "/.local/share/opencode/auth.json") << R"({"anthropic": {}})";
  EXPECT_TRUE(has_credential(client("opencode"), environment_));
  std::filesystem::remove_all(folder_ + "/.local");
  std::filesystem::create_directories(folder_ + "/.config/opencode");
  std::ofstream(folder_ + "/.config/opencode/opencode.json")
      << R"({"provider": {"anthropic": {"options": {"apiKey": "{env:MINE}"}}}})";
  EXPECT_TRUE(has_credential(client("opencode"), environment_));
}

TEST_F(Home, AProgramIsFoundInPathAndNeverInTheWorkingDirectory) {
  const std::string tool = folder_ + "/tool";
  std::ofstream(tool) << "#!/bin/sh\necho out; echo err >&2\n";
  EXPECT_FALSE(find_program("tool", "/nowhere:" + folder_));
  chmod(tool.c_str(), 0700);
  EXPECT_EQ(find_program("tool", "/nowhere:" + folder_), tool);
  char before[4096];
  ASSERT_NE(getcwd(before, sizeof before), nullptr);
  ASSERT_EQ(chdir(folder_.c_str()), 0);
  EXPECT_FALSE(find_program("tool", ".::"));
  ASSERT_EQ(chdir(before), 0);
}

TEST_F(Home, ADetachedProgramWritesToItsLog) {
  const std::string tool = folder_ + "/tool";
  std::ofstream(tool) << "#!/bin/sh\necho out; echo err >&2\n";
  chmod(tool.c_str(), 0700);
  ASSERT_TRUE(start_detached({tool}, folder_ + "/log"));
  std::string text;
  for (int i = 0; i < 500 && text.size() < 8; ++i) {
    usleep(10'000);
    std::ifstream log(folder_ + "/log");
    text.assign(std::istreambuf_iterator<char>(log), {});
  }
  EXPECT_EQ(text, "out\nerr\n");
  struct stat status {};
  ASSERT_EQ(stat((folder_ + "/log").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

}  // namespace
}  // namespace nl::app
