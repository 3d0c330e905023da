#include "clients/connection.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

namespace nl::clients {
namespace {

namespace fs = std::filesystem;

constexpr const char* kUrl = "http://127.0.0.1:2300";

class Connecting : public ::testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/nightlight-connect-XXXXXX";
    home_ = ::mkdtemp(pattern);
    variables_["HOME"] = home_;
  }
  void TearDown() override {
    std::error_code error;
    fs::remove_all(home_, error);
  }

  Variables variables() const {
    return [this](const std::string& name) {
      const auto found = variables_.find(name);
      return found == variables_.end() ? std::string() : found->second;
    };
  }
  RecordFolder records() const { return RecordFolder(home_ + "/state/connected"); }
  std::string path(const std::string& name) const { return home_ + "/" + name; }

  void put(const std::string& name, const std::string& text, mode_t mode = 0644) const {
    fs::create_directories(fs::path(path(name)).parent_path());
    std::ofstream(path(name), std::ios::binary) << text;
    ::chmod(path(name).c_str(), mode);
  }
  std::string text(const std::string& name) const {
    std::ostringstream all;
    all << std::ifstream(path(name), std::ios::binary).rdbuf();
    return all.str();
  }
  mode_t mode(const std::string& name) const {
    struct stat status {};
    ::stat(path(name).c_str(), &status);
    return status.st_mode & 07777;
  }

  Result<Plan> connect(const char* name, ReadOnly rule = ReadOnly::refuse) const {
    Wanted wanted{kUrl, "", "", path(".profile")};
    if (std::string_view(name) == "claude") wanted.status_line = "nightlight status --line";
    auto plan = plan_connect(*client_named(name), wanted, variables(), records());
    if (!plan) return plan;
    if (auto done = carry_out_connect(*plan, records(), rule); !done) {
      return std::unexpected(done.error());
    }
    return plan;
  }
  Result<Plan> disconnect(const char* name, ReadOnly rule = ReadOnly::refuse) const {
    auto plan = plan_disconnect(*client_named(name), records());
    if (!plan) return plan;
    if (auto done = carry_out_disconnect(*plan, records(), rule); !done) {
      return std::unexpected(done.error());
    }
    return plan;
  }
  // Every file below the home folder but our own records, with its mode and bytes.
  std::map<std::string, std::string> all() const {
    std::map<std::string, std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(home_)) {
      const std::string name = fs::relative(entry.path(), home_).string();
      if (name.starts_with("state")) continue;
      const bool is_file = entry.is_regular_file() && !entry.is_symlink();
      found[name] = is_file ? std::to_string(mode(name)) + text(name) : "folder or link";
    }
    return found;
  }

  std::string home_;
  std::map<std::string, std::string> variables_;
};

struct Case {
  const char* client;
  const char* file;
  const char* text;
};
const Case kCases[] = {
    {"claude", ".claude/settings.json",
     "{\n  \"model\": \"opus\",\n  \"env\": {\n    \"DISABLE_TELEMETRY\": \"1\"\n  }\n}\n"},
    {"opencode", ".config/opencode/opencode.jsonc",
     "{\n  // mine\n  \"provider\": { \"anthropic\": { \"options\": { \"timeout\": 1, }, }, "
     "},\n}\n"},
    {"qwen", ".qwen/settings.json",
     "{\"security\": {\"auth\": {\"selectedType\": \"qwen-oauth\"}}, \"$version\": 3}"},
    {"pi", ".pi/agent/models.json",
     "{\"providers\": {\"anthropic\": {\"baseUrl\": \"https://proxy.example/v1\"}}}"},
    {"anthropic-sdk", ".profile", "# mine\nexport A=1"},
    {"openai-sdk", ".profile", "# mine\r\nexport A=1\r\n"},
};

TEST_F(Connecting, EveryClientsFileComesBackByteForByte) {
  for (const Case& one : kCases) {
    SCOPED_TRACE(one.client);
    put(one.file, one.text, 0640);
    const auto before = all();
    const auto plan = connect(one.client);
    ASSERT_TRUE(plan) << plan.error().message;
    EXPECT_NE(text(one.file).find(kUrl), std::string::npos);
    EXPECT_EQ(mode(one.file), 0640u);
    EXPECT_EQ(state_of(*client_named(one.client), records()).standing, Standing::connected);
    ASSERT_EQ(plan->record.files.size(), 1u);
    const auto copy = KeptFile::look(plan->record.files[0].backup);
    ASSERT_TRUE(copy);
    EXPECT_EQ(copy->text(), one.text);
    const auto back = disconnect(one.client);
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_TRUE(back->files[0].as_before);
    EXPECT_EQ(all(), before);
    EXPECT_EQ(state_of(*client_named(one.client), records()).standing, Standing::none);
    EXPECT_TRUE(fs::is_empty(path("state/connected")));
  }
}

TEST_F(Connecting, WhatWasNotThereGoesAgainWithItsFolders) {
  const auto before = all();
  for (const Case& one : kCases) {
    SCOPED_TRACE(one.client);
    const auto plan = connect(one.client);
    ASSERT_TRUE(plan) << plan.error().message;
    EXPECT_EQ(mode(plan->record.files[0].path.substr(home_.size() + 1)), 0600u);
    ASSERT_TRUE(disconnect(one.client));
    EXPECT_EQ(all(), before);
  }
}

TEST_F(Connecting, AReadOnlyFileIsRefusedWithTheFixAndForcedWhenAsked) {
  for (const Case& one : kCases) {
    SCOPED_TRACE(one.client);
    put(one.file, one.text, 0444);
    const auto before = all();
    const auto refused = connect(one.client);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("chmod u+w"), std::string::npos);
    EXPECT_NE(refused.error().message.find("--force"), std::string::npos);
    EXPECT_EQ(all(), before);
    ASSERT_TRUE(connect(one.client, ReadOnly::override));
    EXPECT_EQ(mode(one.file), 0444u);
    // What was forced once may be taken back without a word.
    ASSERT_TRUE(disconnect(one.client));
    EXPECT_EQ(all(), before);
    fs::remove(path(one.file));
  }
}

TEST_F(Connecting, AFileChangedInBetweenKeepsTheChange) {
  put(".claude/settings.json", "{\n  \"a\": 1\n}\n");
  ASSERT_TRUE(connect("claude"));
  std::string now = text(".claude/settings.json");
  now.insert(now.rfind("\n}"), ",\n  \"b\": 2");
  put(".claude/settings.json", now);
  const auto back = disconnect("claude");
  ASSERT_TRUE(back);
  EXPECT_FALSE(back->files[0].as_before);
  EXPECT_TRUE(back->files[0].left.empty());
  EXPECT_EQ(text(".claude/settings.json"), "{\n  \"a\": 1,\n  \"b\": 2\n}\n");
}

TEST_F(Connecting, AValueChangedInBetweenStaysAndTheCopyIsKept) {
  put(".pi/agent/models.json", kCases[2].text);
  const auto plan = connect("pi");
  ASSERT_TRUE(plan);
  put(".pi/agent/models.json",
      "{\"providers\": {\"anthropic\": {\"baseUrl\": \"https://else.example\"}}}");
  EXPECT_EQ(state_of(*client_named("pi"), records()).standing, Standing::changed);
  const auto back = disconnect("pi");
  ASSERT_TRUE(back);
  EXPECT_EQ(back->files[0].left.size(), 1u);
  EXPECT_NE(text(".pi/agent/models.json").find("else.example"), std::string::npos);
  EXPECT_TRUE(fs::exists(plan->record.files[0].backup));
  EXPECT_EQ(state_of(*client_named("pi"), records()).standing, Standing::none);
}

TEST_F(Connecting, ALinkedFileIsChangedWhereItIs) {
  put("dotfiles/claude.json", "{}\n");
  fs::create_directories(path(".claude"));
  fs::create_symlink("../dotfiles/claude.json", path(".claude/settings.json"));
  const auto before = all();
  ASSERT_TRUE(connect("claude"));
  EXPECT_TRUE(fs::is_symlink(path(".claude/settings.json")));
  EXPECT_NE(text("dotfiles/claude.json").find(kUrl), std::string::npos);
  ASSERT_TRUE(disconnect("claude"));
  EXPECT_EQ(all(), before);
}

TEST_F(Connecting, ALinkToNothingAndHardLinksAreKept) {
  fs::create_directories(path(".claude"));
  fs::create_symlink(path("dotfiles/new.json"), path(".claude/settings.json"));
  put(".profile", "A=1\n", 0440);
  fs::create_hard_link(path(".profile"), path("copy"));
  const auto before = all();
  ASSERT_TRUE(connect("claude"));
  ASSERT_TRUE(connect("openai-sdk", ReadOnly::override));
  EXPECT_NE(text("dotfiles/new.json").find(kUrl), std::string::npos);
  EXPECT_EQ(text("copy"), text(".profile"));
  EXPECT_NE(text("copy").find(kUrl), std::string::npos);
  ASSERT_TRUE(disconnect("openai-sdk"));
  ASSERT_TRUE(disconnect("claude"));
  EXPECT_EQ(all(), before);
}

// A write that the disk refuses half way must not leave half a file.
TEST_F(Connecting, AFileWithTwoNamesIsWholeAlsoWhenThereIsNoRoom) {
  const std::string mine = "A=1\n" + std::string(5000, '#') + "\n";
  put(".profile", mine);
  fs::create_hard_link(path(".profile"), path("copy"));
  auto file = KeptFile::look(path(".profile"));
  ASSERT_TRUE(file);
  struct rlimit before {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const struct rlimit little { 8192, before.rlim_max };
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &little), 0);
  const auto done = file->replace(mine + std::string(10'000, 'x'));
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_FALSE(done);
  EXPECT_EQ(text(".profile"), mine);
  EXPECT_EQ(text("copy"), mine);
}

TEST_F(Connecting, ConnectingAgainChangesNothingAndMovesToAnotherAddress) {
  put(".claude/settings.json", "{\"a\": 1}\n", 0444);
  const auto before = all();
  ASSERT_TRUE(connect("claude", ReadOnly::override));
  const auto connected = all();
  const auto again = connect("claude");
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_FALSE(again->changes());
  EXPECT_EQ(all(), connected);
  const Wanted elsewhere{"http://127.0.0.1:2400", "", "", ""};
  auto moved = plan_connect(*client_named("claude"), elsewhere, variables(), records());
  ASSERT_TRUE(moved);
  ASSERT_TRUE(carry_out_connect(*moved, records(), ReadOnly::refuse));
  EXPECT_NE(text(".claude/settings.json").find(":2400"), std::string::npos);
  EXPECT_EQ(text(".claude/settings.json").find("statusLine"), std::string::npos);
  ASSERT_TRUE(disconnect("claude"));
  EXPECT_EQ(all(), before);
}

TEST_F(Connecting, AFileThatCannotBeReadIsRefusedWithItsLine) {
  put(".claude/settings.json", "{\n  \"a\": oops\n}\n");
  const auto before = all();
  const auto plan = connect("claude");
  ASSERT_FALSE(plan);
  EXPECT_NE(plan.error().message.find("settings.json: line 2: "), std::string::npos);
  EXPECT_EQ(all(), before);
  ASSERT_FALSE(disconnect("claude"));
}

TEST_F(Connecting, AFileChangedWhileItIsBeingChangedIsNotOverwritten) {
  put(".claude/settings.json", "{}\n");
  const Wanted wanted{kUrl, "", "", ""};
  auto plan = plan_connect(*client_named("claude"), wanted, variables(), records());
  ASSERT_TRUE(plan);
  put(".claude/settings.json", "{\"just\": \"now\"}\n");
  EXPECT_FALSE(carry_out_connect(*plan, records(), ReadOnly::refuse));
  EXPECT_EQ(text(".claude/settings.json"), "{\"just\": \"now\"}\n");
  // The record is there already, and taking it back finds nothing of ours.
  ASSERT_TRUE(disconnect("claude"));
  EXPECT_EQ(text(".claude/settings.json"), "{\"just\": \"now\"}\n");
}

TEST_F(Connecting, ADamagedRecordIsSaid) {
  ASSERT_TRUE(connect("claude"));
  put("state/connected/claude.json", "{\"version\": \"1\", \"files\": [{}]}");
  const auto back = disconnect("claude");
  ASSERT_FALSE(back);
  EXPECT_NE(back.error().message.find("claude.json"), std::string::npos);
}

TEST_F(Connecting, ClientsWhoseDialectIsNotServedSaySo) {
  EXPECT_NE(unserved(*client_named("codex")).find("Responses API"), std::string::npos);
  EXPECT_NE(unserved(*client_named("gemini")).find("Gemini API"), std::string::npos);
  for (const Case& one : kCases) EXPECT_EQ(unserved(*client_named(one.client)), "");
}

TEST_F(Connecting, AFileThatHoldsNoVariablesIsRefused) {
  for (const char* name : {"config.json", "settings.toml", "app.yaml", "main.py", ".tcshrc"}) {
    put(name, "{}\n");
    const Wanted wanted{kUrl, "", "", path(name)};
    const auto plan = plan_connect(*client_named("openai-sdk"), wanted, variables(), records());
    ASSERT_FALSE(plan) << name;
    EXPECT_NE(plan.error().message.find("~/.profile"), std::string::npos) << plan.error().message;
    EXPECT_EQ(text(name), "{}\n");
  }
}

TEST_F(Connecting, VariablesAndFilesThatAreThereDecideWhere) {
  put(".config/opencode/opencode.json", "{}\n");
  const Client& opencode = *client_named("opencode");
  EXPECT_EQ(*path_of(opencode.files[0], variables()), path(".config/opencode/opencode.json"));
  put(".config/opencode/opencode.jsonc", "{}\n");
  EXPECT_EQ(*path_of(opencode.files[0], variables()), path(".config/opencode/opencode.jsonc"));
  variables_["XDG_CONFIG_HOME"] = path("elsewhere");
  EXPECT_EQ(*path_of(opencode.files[0], variables()), path("elsewhere/opencode/opencode.json"));
  variables_["CLAUDE_CONFIG_DIR"] = path("claude-dir");
  EXPECT_EQ(*path_of(client_named("claude")->files[0], variables()),
            path("claude-dir/settings.json"));
  EXPECT_EQ(variable_format("/x/config.fish"), Format::fish);
  EXPECT_EQ(variable_format("/x/environment.d/ai.conf"), Format::variables);
  EXPECT_EQ(variable_format("/x/.bashrc"), Format::shell);
  EXPECT_EQ(variable_format("/x/.env.local"), Format::variables);
}

TEST_F(Connecting, WhatStaysIsSaidWithoutItsSecrets) {
  const Wanted wanted{kUrl, "", std::string(kStandIn), path(".profile")};
  auto plan = plan_connect(*client_named("claude"), wanted, variables(), records());
  ASSERT_TRUE(plan);
  ASSERT_TRUE(carry_out_connect(*plan, records(), ReadOnly::refuse));
  std::string now = text(".claude/settings.json");
  now.replace(now.find("\"nightlight\""), 12, "\"their-own-word\"");
  put(".claude/settings.json", now);
  const State state = state_of(*client_named("claude"), records());
  EXPECT_EQ(state.standing, Standing::changed);
  EXPECT_EQ(state.trouble.find("their-own-word"), std::string::npos) << state.trouble;
  ASSERT_TRUE(connect("openai-sdk"));
  now = text(".profile");
  now.insert(now.find("# <<<"), "export OPENAI_API_KEY=their-own-key\n");
  put(".profile", now);
  const auto back = disconnect("openai-sdk");
  ASSERT_TRUE(back);
  ASSERT_EQ(back->files[0].left.size(), 1u);
  EXPECT_NE(back->files[0].left[0].find("OPENAI_API_KEY=***"), std::string::npos);
  EXPECT_NE(text(".profile").find("their-own-key"), std::string::npos);
}

}  // namespace
}  // namespace nl::clients
