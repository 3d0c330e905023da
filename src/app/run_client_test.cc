#include "app/run_client.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "base/process.h"

namespace nl::app {
namespace {

using Variables = std::vector<std::pair<std::string, std::string>>;

const std::string kBase = "http://127.0.0.1:2300";

Environment with(std::initializer_list<const char*> names) {
  Environment environment;
  for (const char* name : names) environment.set(name, "something");
  return environment;
}

TEST(RunClient, CredentialsInTheEnvironmentStayAsTheyAre) {
  const Variables only_address = {{"ANTHROPIC_BASE_URL", kBase}};
  for (const char* name :
       {"ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN"}) {
    EXPECT_EQ(client_variables(*client_kind("claude"), kBase, with({name}), ClaudeLogin::absent),
              only_address);
  }
  EXPECT_EQ(client_variables(*client_kind("claude"), kBase, with({}), ClaudeLogin::present),
            only_address);
}

TEST(RunClient, AClientWithoutAnyCredentialGetsAStandIn) {
  const Variables variables =
      client_variables(*client_kind("claude"), kBase, with({}), ClaudeLogin::absent);
  ASSERT_EQ(variables.size(), 2u);
  EXPECT_EQ(variables[1],
            (std::pair<std::string, std::string>("ANTHROPIC_AUTH_TOKEN", "nightlight")));
}

TEST(RunClient, UnservedClientsSayWhy) {
  EXPECT_NE(client_kind("codex")->unserved.find("Responses"), std::string::npos);
  EXPECT_NE(client_kind("gemini")->unserved.find("Gemini"), std::string::npos);
  EXPECT_TRUE(client_kind("claude")->unserved.empty());
  EXPECT_EQ(client_kind("vim"), nullptr);
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
    for (const char* file : {"/.claude.json", "/.claude/.credentials.json", "/tool", "/log"}) {
      unlink((folder_ + file).c_str());
    }
    rmdir((folder_ + "/.claude").c_str());
    rmdir(folder_.c_str());
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
