#include "standby/profile.h"

#include <gtest/gtest.h>

#include "dialect/json.h"
#include "standby/cut_text.h"
#include "standby/short_json.h"
#include "standby/token_counts.h"

namespace nl::standby {
namespace {

Profile known() {
  Profile profile;
  profile.name = "agent";
  profile.agents = {"agent/*", "other-*-agent"};
  profile.marks = {"# Rules"};
  profile.system = "Be short.";
  profile.keep_sections = {"# Environment"};
  profile.ends = {"The end"};
  profile.leave_out = {"The skills", " - Noise", "<left>"};
  profile.tools = {{"Bash", "Runs \"it\"."}};
  profile.description_bytes = 40;
  profile.property_bytes = 10;
  return profile;
}

chat::Request with_system(std::vector<std::string_view> texts) {
  chat::Request request;
  for (const std::string_view text : texts) request.system.push_back({{text}, {}});
  return request;
}

std::vector<std::string> system_of(const chat::Request& request) {
  std::vector<std::string> texts;
  for (const chat::Text& text : request.system) texts.emplace_back(text.text.escaped);
  return texts;
}

TEST(Profile, is_picked_by_the_user_agent) {
  const std::vector<Profile> profiles = {known()};
  EXPECT_EQ(profile_for(profiles, "agent/1.0 (x)").name, "agent");
  EXPECT_EQ(profile_for(profiles, "other-big-agent").name, "agent");
  EXPECT_EQ(profile_for(profiles, "another").name, "generic");
}

TEST(Profile, replaces_the_clients_rules_and_keeps_what_it_says_of_the_machine) {
  const chat::Request request = with_system(
      {"x-anthropic-billing-header: a", "The user's own words.",
       R"(Hello.\n# Rules\nmany\n\n# Environment\n - cwd: /a\n - Noise: b\n\n# Rules 2\nmore)"});
  const chat::Request made = profiled(request, known());
  EXPECT_EQ(system_of(made),
            (std::vector<std::string>{"The user's own words.",
                                      R"(Be short.\n\n# Environment\n - cwd: /a)"}));
}

TEST(Profile, keeps_what_was_added_behind_the_clients_last_words) {
  const chat::Request request = with_system({R"(# Rules\nmany\n\nThe end is.\n\nMine.\n\nToo.)"});
  EXPECT_EQ(system_of(profiled(request, known())),
            (std::vector<std::string>{R"(Be short.\n\nMine.\n\nToo.)"}));
  const chat::Request plain = with_system({R"(# Rules\nmany\n\nThe end is.)"});
  EXPECT_EQ(system_of(profiled(plain, known())), (std::vector<std::string>{"Be short."}));
}

// Of a client that puts no headings over what it says of the machine.
Profile laid_out() {
  Profile profile;
  profile.name = "laid-out";
  profile.agents = {"laid/*"};
  profile.marks = {"You are Laid,"};
  profile.system = "Be short.";
  profile.begins = {"<env>", "Rules from:"};
  profile.keep_sections = {"# Sandbox"};
  profile.leave_out = {"- Noise"};
  profile.leave_sections = {"# Memory", "## Kinds"};
  return profile;
}

TEST(Profile, keeps_all_from_the_line_on_where_a_client_tells_of_machine_and_project) {
  const chat::Request request = with_system(
      {R"(You are Laid, an agent.\n\n# Sandbox\n- in a box\n- Noise\n\n# Style\nlong\n)"
       R"(<env>\n  Folder: /a\n</env>\nRules from: /a/AGENTS.md\n# Style\n- Noise is mine.)"});
  EXPECT_EQ(system_of(profiled(request, laid_out())),
            (std::vector<std::string>{
                R"(Be short.\n\n# Sandbox\n- in a box\n\n<env>\n  Folder: /a\n</env>\n)"
                R"(Rules from: /a/AGENTS.md\n# Style\n- Noise is mine.)"}));
}

TEST(Profile, leaves_named_sections_out_up_to_the_next_heading_or_rule) {
  const chat::Request request =
      with_system({R"(You are Laid, x.\n\n<env>\n\n# Memory\n\nHow.\n\n## Kinds of it\n\n- a\n\n)"
                   R"(```\n---\nname: x\n---\n```\n\n\n## /m/INDEX.md\n\n- Likes tea\n\n)"
                   R"(## Kinds\n\nb\n\n---\n\nMine.\n\n#!/bin/sh)"});
  EXPECT_EQ(system_of(profiled(request, laid_out())),
            (std::vector<std::string>{R"(Be short.\n\n<env>\n\n\n## /m/INDEX.md\n\n)"
                                      R"(- Likes tea\n\n---\n\nMine.\n\n#!/bin/sh)"}));
}

TEST(Profile, keeps_a_text_whole_whose_layout_it_does_not_know) {
  // No line with which the machine begins; an agent of the user's, whose rules quote the client's.
  const std::vector<std::string_view> texts = {
      R"(You are Laid, an agent.\n\n# Style\nlong\n\nFolder: /a)",
      R"(You are a poet.\n<env>\n</env>\nRules from: /a\nYou are Laid, remember.)"};
  const chat::Request made = profiled(with_system(texts), laid_out());
  EXPECT_EQ(system_of(made), (std::vector<std::string>(texts.begin(), texts.end())));

  Profile with_end = laid_out();
  with_end.ends = {"# Last"};
  const chat::Request ended = with_system({R"(You are Laid, an agent.\n\n# Last\nwords)"});
  EXPECT_EQ(system_of(profiled(ended, with_end)), (std::vector<std::string>{"Be short."}));
}

TEST(Profile, keeps_the_lists_that_a_tools_argument_needs) {
  Profile profile = laid_out();
  profile.tools = {{"task", "Hands \"it\" on:", {"The helpers", "Tmp is"}}};
  profile.description_bytes = 40;
  chat::Tool task;
  task.name = {"task"};
  task.description = {
      R"(At length.\n\nTmp is /t.\n\nMore.\n\nThe helpers:\n)"
      R"(- seeker: Looks for files. It is told what to look for and how.\n- mine: Sings.)"};
  chat::Request request;
  request.tools = {task};
  EXPECT_EQ(profiled(request, profile).tools[0].description.escaped,
            R"(Hands \"it\" on:\nTmp is /t.\nThe helpers:\n)"
            R"(- seeker: Looks for files.\n- mine: Sings.)");
}

TEST(Profile, a_kept_list_ends_with_its_last_entry_whatever_is_in_it) {
  Profile profile = laid_out();
  profile.tools = {{"task", "To:", {"The helpers", "<skills>"}}};
  chat::Tool task;
  task.name = {"task"};
  chat::Request request;
  task.description = {
      R"(The helpers:\n- one: Sings.\n\nWell.\n\n- two: Acts.\n\nNotes:\n- Never mind.)"};
  request.tools = {task};
  EXPECT_EQ(profiled(request, profile).tools[0].description.escaped,
            R"(To:\nThe helpers:\n- one: Sings.\nWell.\n- two: Acts.)");
  request.tools[0].description = {R"(A.\n\n<skills>\nx\n\ny\n</skills>\n\n- Notes.)"};
  EXPECT_EQ(profiled(request, profile).tools[0].description.escaped,
            R"(To:\n<skills>\nx\ny\n</skills>)");
}

// A backslash and an n that somebody wrote are no line's end, and no cut goes between the two.
TEST(Profile, never_cuts_an_escaped_backslash_in_two) {
  const chat::Request request =
      with_system({R"(You are Laid, x.\n\n<env>\nend with \\n\n\n# Memory\n\nHow.)",
                   R"(You are Laid, y.\n\n# Sandbox\nin \\n\n<env>\n\\n\n# Memory)"});
  EXPECT_EQ(system_of(profiled(request, laid_out())),
            (std::vector<std::string>{R"(Be short.\n\n<env>\nend with \\n)",
                                      R"(# Sandbox\nin \\n\n\n<env>\n\\n\n# Memory)"}));
}

TEST(Profile, leaves_lists_out_of_reminders_and_never_touches_the_users_words) {
  chat::Request request;
  chat::Message user;
  const auto say = [&user](std::string_view escaped) {
    user.content.emplace_back(chat::Text{{escaped}, {}});
  };
  say(R"(<system-reminder>\nThe skills:\n\n- a\n\nToday is Monday.\n</system-reminder>\n)");
  say(R"(<system-reminder>\n<left>9</left>\n</system-reminder>)");
  say(R"(The skills:\n\n- mine)");
  request.messages.push_back(user);
  const chat::Request made = profiled(request, known());
  ASSERT_EQ(made.messages[0].content.size(), 2u);
  EXPECT_EQ(std::get<chat::Text>(made.messages[0].content[0]).text.escaped,
            R"(<system-reminder>\nToday is Monday.\n</system-reminder>\n)");
  EXPECT_EQ(std::get<chat::Text>(made.messages[0].content[1]).text.escaped,
            R"(The skills:\n\n- mine)");
}

TEST(Profile, looks_into_each_of_several_reminders_in_one_text) {
  chat::Request request;
  chat::Message user;
  user.content.emplace_back(chat::Text{
      {R"(<system-reminder>\nThe skills:\n\n- a\n</system-reminder>\n\nFix it.\n\n- b\n\n)"
       R"(<system-reminder>\nThe skills:\n\n- c\n\nToday is Monday.\n</system-reminder>\nNow.)"},
      {}});
  chat::Message system;
  system.role = chat::Role::system;
  system.content.emplace_back(
      chat::Text{{R"(<system-reminder>\nThe skills:\n\n- a\n</system-reminder>\n\n)"
                  R"(<system-reminder>\nToday is Monday.\n</system-reminder>)"},
                 {}});
  request.messages = {user, system};
  const chat::Request made = profiled(request, known());
  EXPECT_EQ(std::get<chat::Text>(made.messages[0].content[0]).text.escaped,
            R"(\n\nFix it.\n\n- b\n\n<system-reminder>\nToday is Monday.\n)"
            R"(</system-reminder>\nNow.)");
  EXPECT_EQ(std::get<chat::Text>(made.messages[1].content[0]).text.escaped,
            R"(\n\n<system-reminder>\nToday is Monday.\n</system-reminder>)");
}

TEST(Profile, shortens_tools_and_keeps_their_fields) {
  chat::Request request;
  chat::Tool bash;
  bash.name = {"Bash"};
  bash.description = {"long"};
  bash.schema = {R"({"$schema":"x","type":"object","required":["description"],"properties":)"
                 R"({"description":{"type":"string","description":"Long words. And more."},)"
                 R"("title":{"enum":["a"],"title":"t"}}})"};
  chat::Tool other;
  other.name = {"Other"};
  other.description = {"It does one thing. It does it at great length in many words."};
  request.tools = {bash, other};
  const chat::Request made = profiled(request, known());
  EXPECT_EQ(made.tools[0].description.escaped, R"(Runs \"it\".)");
  EXPECT_EQ(
      made.tools[0].schema.json,
      R"({"type":"object","required":["description"],"properties":)"
      R"({"description":{"type":"string","description":"Long words"},"title":{"enum":["a"]}}})");
  EXPECT_EQ(made.tools[1].description.escaped, "It does one thing.");
}

TEST(CutText, never_cuts_inside_an_escape_or_a_character) {
  const std::string text = R"(ab\n\u00e9\ud83d\ude00)"
                           "\xc3\xa9\xe2\x82\xac"
                           R"(\\\"end of it)";
  for (std::size_t bytes = 0; bytes <= text.size(); ++bytes) {
    for (const std::string_view part : {beginning_of(text, bytes), end_of(text, bytes)}) {
      EXPECT_LE(part.size(), bytes);
      const std::string json = "\"" + std::string(part) + "\"";
      dialect::Document document;
      EXPECT_TRUE(document.parse(json)) << json;
      EXPECT_EQ(chat::JsonText{part}.utf8().find("\xef\xbf\xbd"), std::string::npos) << part;
    }
  }
}

TEST(CutText, tells_how_much_is_missing) {
  std::string text;
  for (int i = 0; i < 500; ++i) text += "word ";
  const std::string cut = cut_middle(text, {100, 50});
  EXPECT_LT(cut.size(), 220u);
  EXPECT_NE(cut.find("tokens left out ...]"), std::string::npos);
  EXPECT_FALSE(worth_cutting(cut, {100, 50}));
}

TEST(ShortJson, shortens_long_arguments_only) {
  const std::string value(1000, 'x');
  const std::string json = R"({"a":")" + value + R"(","n":[1,{"b":"short"}]})";
  const std::string made = short_arguments(json, {40, 20});
  EXPECT_LT(made.size(), 160u);
  EXPECT_NE(made.find(R"("n":[1,{"b":"short"}])"), std::string::npos);
  EXPECT_EQ(short_arguments("no json", {40, 20}), "no json");
}

TEST(TokenCounts, believe_the_tokenizer_and_learn_from_whole_prompts) {
  TokenCounts counts;
  const std::int64_t estimate = counts.of("some words of text").tokens;
  EXPECT_FALSE(counts.of("some words of text").exact);
  EXPECT_GE(estimate, 4);
  counts.correct(10000, 20000);
  EXPECT_GE(counts.of("some words of text").tokens, 2 * estimate);
  counts.correct(10, 16);       // its template alone
  counts.correct(2000, 70000);  // of something else
  EXPECT_LT(counts.of("some words of text").tokens, 4 * estimate);
  counts.learn(text_key("some words of text"), 3);
  EXPECT_EQ(counts.of("some words of text").tokens, 3);
  EXPECT_TRUE(counts.of("some words of text").exact);
}

}  // namespace
}  // namespace nl::standby
