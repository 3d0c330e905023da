#include "app/cli.h"

#include <gtest/gtest.h>

namespace nl::app {
namespace {

CliOptions options(std::vector<std::string> words) {
  words.insert(words.begin(), "nightlight");
  const auto parsed = parse_cli(words);
  const auto* found = std::get_if<CliOptions>(&parsed);
  EXPECT_NE(found, nullptr) << std::get<CliText>(parsed).text;
  return found == nullptr ? CliOptions() : *found;
}

CliText text(std::vector<std::string> words) {
  words.insert(words.begin(), "nightlight");
  const auto parsed = parse_cli(words);
  const auto* found = std::get_if<CliText>(&parsed);
  EXPECT_NE(found, nullptr);
  return found == nullptr ? CliText() : *found;
}

TEST(Cli, GlobalOptionsStandBeforeOrAfterTheCommand) {
  for (const auto& words : {std::vector<std::string>{"--config", "/c", "--workers", "2", "up"},
                            std::vector<std::string>{"up", "--config", "/c", "--workers=2"}}) {
    const CliOptions parsed = options(words);
    EXPECT_EQ(parsed.command, Command::up);
    EXPECT_EQ(parsed.config.path, "/c");
    EXPECT_EQ(parsed.config.workers, 2);
  }
}

TEST(Cli, ListenMayBeRepeated) {
  const CliOptions parsed =
      options({"--listen", "127.0.0.1:1", "--listen", "[::1]:2", "--log", "warn", "up"});
  EXPECT_EQ(parsed.config.listen, (std::vector<std::string>{"127.0.0.1:1", "[::1]:2"}));
  EXPECT_EQ(parsed.level, log::Level::warn);
}

TEST(Cli, EveryCommandAndItsForm) {
  EXPECT_EQ(options({"check"}).command, Command::check);
  EXPECT_EQ(options({"check", "--defaults"}).form, Form::defaults);
  EXPECT_EQ(options({"check", "--json"}).form, Form::json);
  EXPECT_EQ(options({"status", "--line"}).form, Form::line);
  EXPECT_EQ(options({"why", "last"}).subject, "last");
  EXPECT_EQ(options({"report"}).subject, "today");
  EXPECT_EQ(options({"report", "--since", "yesterday"}).subject, "yesterday");
}

TEST(Cli, WhatFollowsTheDashesIsTheClients) {
  const CliOptions parsed = options({"run", "claude", "--", "--continue", "--config", "x", "--"});
  EXPECT_EQ(parsed.command, Command::run);
  EXPECT_EQ(parsed.subject, "claude");
  EXPECT_EQ(parsed.rest, (std::vector<std::string>{"--continue", "--config", "x", "--"}));
  EXPECT_EQ(parsed.config.path, "");
}

TEST(Cli, AnUnknownCommandIsOneLine) {
  const CliText said = text({"--workers", "2", "upp"});
  EXPECT_EQ(said.status, 2);
  EXPECT_EQ(
      said.text,
      "nightlight: no command is called \"upp\": use up, restart, check, status, why, report, "
      "run, drill, pull, models, show, rm, plan, ask, tasks, cheatsheet, doctor, connect, "
      "disconnect, autostart, completions, version; `nightlight --help` lists what there is\n");
}

TEST(Cli, OtherMistakesAreOneLineToo) {
  for (const auto& words :
       {std::vector<std::string>{"up", "--nope"}, std::vector<std::string>{"why"},
        std::vector<std::string>{"run"}, std::vector<std::string>{"up", "--workers", "many"},
        std::vector<std::string>{"--workers", "0", "up"}, std::vector<std::string>{"up", "extra"},
        std::vector<std::string>{"up", "--", "x"},
        std::vector<std::string>{"--log", "loud", "up"}}) {
    const CliText said = text(words);
    EXPECT_EQ(said.status, 2) << words.front();
    EXPECT_EQ(std::count(said.text.begin(), said.text.end(), '\n'), 1) << said.text;
  }
}

TEST(Cli, ADrillIsPlayedByAPersonOrAScript) {
  CliOptions drill = options({"drill", "--demo"});
  EXPECT_EQ(drill.command, Command::drill);
  EXPECT_EQ(drill.drill.play, drill::DrillPlay::terminal);
  drill = options({"drill", "--demo", "--script", "--out", "here"});
  EXPECT_EQ(drill.drill.play, drill::DrillPlay::script);
  EXPECT_EQ(drill.drill.out, "here");
  EXPECT_NE(text({"drill"}).text.find("drill needs --demo"), std::string::npos);
}

TEST(Cli, ModelsAreNamedOrNot) {
  EXPECT_EQ(options({"pull"}).subject, "");
  EXPECT_EQ(options({"pull", "gemma4:26b"}).subject, "gemma4:26b");
  EXPECT_EQ(options({"models", "--json"}).form, Form::json);
  EXPECT_EQ(options({"show", "gemma4:26b"}).command, Command::show);
  EXPECT_EQ(text({"show"}).status, 2);
  EXPECT_EQ(options({"rm", "--unfinished"}).subject, "");
  EXPECT_EQ(text({"rm"}).status, 2);
  EXPECT_EQ(text({"rm", "a:b", "--unfinished"}).status, 2);
}

TEST(Cli, HelpHasAnExampleForEveryCommand) {
  EXPECT_NE(text({"--help"}).text.find("run claude"), std::string::npos);
  for (const char* command : {"up", "check", "status", "why", "report", "run", "drill", "pull",
                              "models", "show", "rm", "version"}) {
    const CliText said = text({command, "--help"});
    EXPECT_EQ(said.status, 0);
    EXPECT_NE(said.text.find("Example:"), std::string::npos) << command;
  }
  EXPECT_EQ(text({"version"}).text, text({"--version"}).text);
}

}  // namespace
}  // namespace nl::app
