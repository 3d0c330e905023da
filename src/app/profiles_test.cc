#include "app/profiles.h"

#include <gtest/gtest.h>

#include <initializer_list>

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
  EXPECT_EQ(standby::profile_for(loaded.list, "opencode/1.18 ai-sdk/4 runtime/bun/1").name,
            "opencode");
  EXPECT_EQ(standby::profile_for(loaded.list, "QwenCode/0.15 (linux; x64)").name, "qwen-code");
  EXPECT_EQ(standby::profile_for(loaded.list, "curl/8").name, "generic");
  EXPECT_NE(built_in_profiles().find("name = \"claude-code\""), std::string::npos);
}

// A request of one client, in its layout but in words of our own, as the local tier gets it.
class Client {
 public:
  explicit Client(std::string agent) : agent_(std::move(agent)) {}

  void system(std::string_view text) {
    request_.system.push_back({{request_.keep(chat::escape(text))}, {}});
  }
  void tool(std::string_view name, std::string_view description) {
    chat::Tool made;
    made.name = {name};
    made.description = {request_.keep(chat::escape(description))};
    made.schema = {kSchema};
    request_.tools.push_back(made);
  }
  chat::Request formed() const {
    const Profiles loaded = load_profiles(Environment());
    return standby::profiled(request_, standby::profile_for(loaded.list, agent_));
  }

  static constexpr std::string_view kSchema =
      R"({"type":"object","properties":{"a":{"type":"string"}},"required":["a"]})";

 private:
  std::string agent_;
  chat::Request request_;
};

std::string told(const chat::Request& request) {
  std::string all;
  for (const chat::Text& text : request.system) all += text.text.utf8() + "\n";
  return all;
}

void expect_told(const std::string& text, std::initializer_list<std::string_view> pieces) {
  for (const std::string_view piece : pieces) {
    EXPECT_NE(text.find(piece), std::string::npos) << piece << " in " << text;
  }
}

void expect_untold(const std::string& text, std::initializer_list<std::string_view> pieces) {
  for (const std::string_view piece : pieces) {
    EXPECT_EQ(text.find(piece), std::string::npos) << piece << " in " << text;
  }
}

TEST(Profiles, opencodes_rules_give_way_and_machine_project_and_user_stay) {
  Client client("opencode/1.18.33 ai-sdk/provider-utils/4.0 runtime/bun/1.3");
  client.system(
      "You are opencode, and long rules follow.\n\n# Tone\nRule one.\n\nYour model is x.\n"
      "Here is some useful information:\n<env>\n  Working directory: /p\n</env>\n"
      "Instructions from: /home/me/AGENTS.md\nMy own words.\n\n"
      "Instructions from: /p/AGENTS.md\n# Tone\n\nRun make quality.\n\n"
      "<available_skills>\n  <name>mine</name>\n</available_skills>");
  client.tool("bash", "Rule two.\n\nBe aware: the shell is fish.\n\nUse `/tmp/o` for notes.");
  client.tool("task", "Rule three.\n\nAvailable agent types:\n- explore: Seeks.\n- poet: Sings.");
  client.tool("mine_lookup", "Looks mine up.");
  const chat::Request made = client.formed();
  const std::string text = told(made);
  EXPECT_TRUE(text.starts_with("You are a coding agent in a terminal.")) << text;
  expect_told(text, {"/p\n</env>", "My own words.", "/p/AGENTS.md\n# Tone\n\nRun make quality.",
                     "<name>mine</name>"});
  expect_untold(text, {"Rule one", "model is x", "long rules"});
  ASSERT_EQ(made.tools.size(), 3u);
  for (const chat::Tool& tool : made.tools) {
    EXPECT_EQ(tool.schema.json, Client::kSchema);
    expect_untold(tool.description.utf8(), {"Rule"});
  }
  expect_told(made.tools[0].description.utf8(), {"Runs a shell", "shell is fish", "/tmp/o"});
  expect_told(made.tools[1].description.utf8(), {"- explore: Seeks.", "- poet: Sings."});
  EXPECT_EQ(made.tools[2].description.utf8(), "Looks mine up.");
}

TEST(Profiles, opencodes_agents_with_rules_of_the_users_are_kept_whole) {
  const std::string own = "You write songs.\n\n<env>\n  Platform: linux\n</env>";
  Client client("opencode/1.18.33");
  client.system(own);
  EXPECT_EQ(told(client.formed()), own + "\n");
}

TEST(Profiles, qwen_codes_rules_give_way_and_machine_memory_and_user_stay) {
  Client client("QwenCode/0.15.10 (linux; x64)");
  client.system(
      "You are Qwen Code, and long rules follow.\n\n# Core\n- Rule one.\n\n"
      "# Sandbox\nYou are in a box.\n\n# Git Repository\n- The project is in git.\n"
      "- When asked to commit, rule two.\n  - `git status` rule three.\n- Never push.\n\n"
      "# Examples\nRule four.\n\n# Final Reminder\nRule five.\n\n"
      "## Deferred Tools\n\nLook them up:\n\n- \"plan_mode\": \"Plans.\"\n\n---\n\n"
      "--- Context from: AGENTS.md ---\n# Core\n\n- When asked to commit, run make quality.\n"
      "--- End of Context from: AGENTS.md ---\n\n---\n\n# auto memory\n\nRule six.\n\n"
      "## Types of memory\n\n<type>\nRule seven.\n</type>\n\n## How to save memories\n\n"
      "Rule eight.\n\n## /home/me/MEMORY.md\n\n- [Tea](tea.md) - likes tea\n\n---\n\n"
      "Speak of trees.");
  client.tool("skill", "Rule nine.\n\n<available_skills>\n<name>\nmine\n</name>");
  client.tool("run_shell_command", "Rule ten, at length.");
  const chat::Request made = client.formed();
  const std::string text = told(made);
  EXPECT_TRUE(text.starts_with("You are a coding agent in a terminal.")) << text;
  expect_told(text, {"You are in a box.", "is in git.\n- Never push.", "\"plan_mode\"",
                     "- When asked to commit, run make quality.", "- [Tea](tea.md) - likes tea",
                     "Speak of trees."});
  expect_untold(text, {"Rule ", "rule "});
  expect_told(made.tools[0].description.utf8(), {"<name>\nmine\n</name>"});
  expect_untold(made.tools[0].description.utf8() + made.tools[1].description.utf8(), {"Rule"});
  EXPECT_EQ(made.tools[1].schema.json, Client::kSchema);
}

TEST(Profiles, qwen_codes_rules_alone_give_way) {
  Client client("QwenCode/0.15.10 (linux; x64)");
  client.system("You are Qwen Code, and long rules follow.\n\n# Final Reminder\nRule five.");
  expect_untold(told(client.formed()), {"Rule five", "long rules"});
}

TEST(Profiles, mistakes_are_named_with_their_line) {
  const auto wrong = parse_profile("name = \"x\"\nagents = [\"y\"]\nsistem = \"z\"\n", "mine.toml");
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().message.find("mine.toml:3"), std::string::npos);
  EXPECT_FALSE(parse_profile("name = \"x\"\n", "mine.toml"));
  EXPECT_FALSE(parse_profile("[[", "mine.toml"));
  const auto empty = parse_profile("name = \"x\"\nagents = [\"y\"]\nmarks = [\"\"]\n", "mine.toml");
  ASSERT_FALSE(empty);
  EXPECT_NE(empty.error().message.find("mine.toml:3"), std::string::npos);
}

}  // namespace
}  // namespace nl::app
