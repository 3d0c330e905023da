#include "drill/cloud.h"

#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <thread>

#include "drill/claude.h"
#include "drill/client.h"
#include "drill/clouds.h"
#include "drill/wire.h"

namespace nl::drill {
namespace {

using dialect::DialectId;
using Role = DrillMessage::Role;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kWithin = seconds(10);

DrillQuestion question(DialectId dialect, DrillForm form, const std::string& text) {
  DrillQuestion made{dialect, form, DrillTools::none, {}};
  made.messages = {{Role::user, "The code word is marigold-42. Keep it in mind.", "", ""},
                   {Role::assistant, "I do.", "", ""},
                   {Role::user, text, "", ""}};
  return made;
}

// The clouds asked directly, without a gateway between.
class DrillCloudTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(clouds_.start()); }

  DrillClient client(int tier) {
    http::Endpoint endpoint;
    endpoint.scheme = http::Scheme::http;
    endpoint.host = "127.0.0.1";
    endpoint.port = clouds_.port(tier);
    return DrillClient(endpoint, clouds_.stop_flag());
  }
  DrillAnswer ask(int tier, const DrillQuestion& asked) {
    return client(tier).ask({asked}, kWithin).front();
  }
  static DialectId dialect_of(int tier) {
    return tier == 1 ? DialectId::anthropic : DialectId::openai_chat;
  }

  DrillClouds clouds_{DrillPace{milliseconds(1), seconds(2), 3}};
};

TEST_F(DrillCloudTest, RecallsTheCodeWordInEveryForm) {
  for (const int tier : {1, 2}) {
    for (const DrillForm form : {DrillForm::whole, DrillForm::stream}) {
      const auto answer = ask(tier, question(dialect_of(tier), form, "What is the code word?"));
      EXPECT_EQ(answer.trouble, "");
      EXPECT_NE(answer.text.find("The code word is marigold-42."), std::string::npos)
          << answer.text;
    }
  }
}

TEST_F(DrillCloudTest, CallsTheShellStepByStepAndThenEnds) {
  for (const int tier : {1, 2}) {
    for (const DrillForm form : {DrillForm::whole, DrillForm::stream}) {
      DrillQuestion asked = question(dialect_of(tier), form, "Run three shell commands.");
      asked.tools = DrillTools::shell;
      for (int step = 1; step <= 3; ++step) {
        const DrillAnswer answer = ask(tier, asked);
        ASSERT_EQ(answer.trouble, "");
        EXPECT_EQ(answer.call_name, "Bash");
        EXPECT_NE(answer.arguments.find("\"echo nightlight-drill-step-" + std::to_string(step)),
                  std::string::npos)
            << answer.arguments;
        asked.messages.push_back({Role::assistant, answer.text, answer.call_id, answer.arguments});
        asked.messages.push_back({Role::tool, "done", answer.call_id, ""});
      }
      const DrillAnswer last = ask(tier, asked);
      EXPECT_EQ(last.call_name, "");
      EXPECT_NE(last.text.find("all 3 steps have run"), std::string::npos) << last.text;
    }
  }
}

TEST_F(DrillCloudTest, SaysItsLimitInTheVendorsWords) {
  ASSERT_TRUE(clouds_.set(1, CloudMode::limit));
  const auto answer = ask(1, question(DialectId::anthropic, DrillForm::stream, "Hello."));
  EXPECT_EQ(answer.status, 429);
  const http::Answer said =
      limit_answer(DialectId::anthropic, WallTime(seconds(1'800'000'000)), seconds(5));
  bool found = false;
  for (const auto& [name, value] : said.headers) {
    if (name != "anthropic-ratelimit-unified-reset") continue;
    found = true;
    EXPECT_EQ(value, "1800000005");
  }
  EXPECT_TRUE(found);
}

TEST_F(DrillCloudTest, DarkRefusesAndComesBackOnTheSamePort) {
  const std::uint16_t port = clouds_.port(2);
  const DrillQuestion asked = question(DialectId::openai_chat, DrillForm::whole, "Hello.");
  ASSERT_TRUE(clouds_.set(2, CloudMode::dark));
  EXPECT_EQ(ask(2, asked).status, 0);
  EXPECT_NE(ask(2, asked).trouble, "");
  ASSERT_TRUE(clouds_.set(2, CloudMode::up));
  EXPECT_EQ(clouds_.port(2), port);
  EXPECT_EQ(ask(2, asked).trouble, "");
}

TEST_F(DrillCloudTest, GoesDarkInTheMiddleOfASentence) {
  for (const int tier : {1, 2}) {
    clouds_.go_dark_after(tier, 6);
    const auto answer = ask(tier, question(dialect_of(tier), DrillForm::stream, "Hello."));
    EXPECT_EQ(answer.status, 200);
    EXPECT_NE(answer.trouble, "");
    EXPECT_NE(answer.text.find("stand-in] I am"), std::string::npos) << answer.text;
    EXPECT_EQ(answer.text.find("sentence."), std::string::npos) << answer.text;
    EXPECT_EQ(clouds_.mode(tier), CloudMode::dark);
  }
}

TEST_F(DrillCloudTest, AForeignBodyIsRefused) {
  DrillTurn turn;
  EXPECT_FALSE(read_drill_turn(DialectId::anthropic, "{"));
  EXPECT_FALSE(read_drill_turn(DialectId::anthropic, "[]"));
  EXPECT_FALSE(read_drill_turn(DialectId::openai_chat, R"({"messages":5})"));
}

TEST(DrillBrain, WhatTheClientPutsInIsNotTheUsers) {
  const auto turn = read_drill_turn(
      DialectId::openai_chat,
      R"({"model":"m","tools":[{"type":"function","function":{"name":"Bash"}}],"messages":[)"
      R"({"role":"user","content":"Run two shell commands."},)"
      R"({"role":"assistant","content":null,"tool_calls":[{"id":"c1"}]},)"
      R"({"role":"tool","tool_call_id":"c1","content":"x"},)"
      R"({"role":"user","content":"<system-reminder>\nThe code word is no-word.\n"}]})");
  ASSERT_TRUE(turn);
  EXPECT_EQ(turn->steps_done, 1);
  EXPECT_TRUE(turn->asks_to_run);
  EXPECT_EQ(turn->code_word, "");
}

TEST(DrillClient, AnErrorEventIsTrouble) {
  DrillAnswer answer;
  EXPECT_FALSE(read_drill_event(
      DialectId::anthropic,
      R"({"type":"error","error":{"type":"api_error","message":"broke off"}})", answer));
  EXPECT_EQ(answer.trouble, "error event: broke off");
}

TEST(DrillClaude, SaysHowItsRunWent) {
  const ClaudeRun run = read_claude_lines(
      "{\"type\":\"user\",\"message\":{\"content\":[{\"type\":\"tool_result\",\"content\":\"word\"}"
      "]}}\n"
      "no json\n"
      "{\"type\":\"result\",\"is_error\":false,\"result\":\"Done.\"}\n");
  EXPECT_TRUE(run.good);
  EXPECT_EQ(run.result, "Done.");
  EXPECT_NE(run.shell_said.find("\"word\""), std::string::npos);
  EXPECT_FALSE(read_claude_lines("{\"type\":\"user\"}\n").good);
}

TEST(DrillStage, AChildsWholeGroupEndsWithIt) {
  ChildOrder order;
  order.arguments = {"/bin/sh", "-c", "sleep 60 & echo $!; wait"};
  order.environment = {"PATH=/usr/bin:/bin"};
  order.folder = "/";
  order.output = testing::TempDir() + "/child.log";
  auto child = Child::start(order);
  ASSERT_TRUE(child);
  std::string said;
  for (int i = 0; i < 500 && said.find('\n') == std::string::npos; ++i) {
    std::this_thread::sleep_for(milliseconds(10));
    std::ifstream file(order.output);
    said.assign(std::istreambuf_iterator<char>(file), {});
  }
  EXPECT_EQ(child->poll(), std::nullopt);
  EXPECT_EQ(child->end(seconds(2)), 128 + SIGTERM);
  const pid_t sleeper = static_cast<pid_t>(std::stol(said));
  for (int i = 0; i < 500 && ::kill(sleeper, 0) == 0; ++i) {
    std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_EQ(::kill(sleeper, 0), -1);
}

}  // namespace
}  // namespace nl::drill
