#include "gateway/tool_check.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace nl::gateway {
namespace {

using chat::BlockKind;
using chat::EventKind;
using chat::StopReason;

// What came out, one line an event.
class Lines final : public dialect::EventSink {
 public:
  void on_event(const chat::Event& event) override {
    const bool tool = event.block == BlockKind::tool;
    switch (event.kind) {
      case EventKind::block_start:
        lines.push_back(tool ? "call " + event.name.utf8() : "text");
        return;
      case EventKind::delta:
        lines.push_back("+ " + event.text.utf8());
        return;
      case EventKind::block_stop:
        lines.emplace_back("stop");
        return;
      case EventKind::finish:
        lines.push_back("finish " + std::to_string(static_cast<int>(event.stop)));
        return;
      case EventKind::error:
        lines.push_back("error " + std::string(event.error_type) + ": " + event.error_message);
        return;
      case EventKind::progress:
        ++progress;
        return;
      case EventKind::start:
      case EventKind::usage:
      case EventKind::ping:
        return;
    }
  }
  std::vector<std::string> lines;
  int progress = 0;
};

class ToolCheckTest : public testing::Test {
 protected:
  void SetUp() override {
    tool_.name = {"Bash"};
    tool_.schema = {R"({"type":"object","properties":{"command":{"type":"string"},)"
                    R"("timeout":{"type":"integer"}},"required":["command"],)"
                    R"("additionalProperties":false})"};
  }
  ToolCheck check(BrokenCall broken) {
    ToolCheckSetup setup;
    setup.tools = {&tool_};
    setup.broken = broken;
    setup.held_max = 1000;
    return ToolCheck(setup, out_);
  }
  // `arguments` in pieces of three bytes.
  static void call(ToolCheck& check, std::string_view name, std::string_view arguments) {
    chat::Event event;
    event.kind = EventKind::block_start;
    event.block = BlockKind::tool;
    event.id = {"id"};
    event.name = {name};
    check.on_event(event);
    const std::string escaped = chat::escape(arguments);
    event.kind = EventKind::delta;
    event.delta = chat::DeltaKind::arguments;
    for (std::size_t at = 0; at < escaped.size(); at += 3) {
      event.text = {std::string_view(escaped).substr(at, 3)};
      check.on_event(event);
    }
    event.kind = EventKind::block_stop;
    check.on_event(event);
  }
  static void finish(ToolCheck& check, StopReason stop = StopReason::tool_use) {
    chat::Event event;
    event.kind = EventKind::finish;
    event.stop = stop;
    check.on_event(event);
  }
  static std::string finished(StopReason stop) {
    return "finish " + std::to_string(static_cast<int>(stop));
  }
  std::vector<std::string> lines() const { return out_.lines; }

  chat::Tool tool_;
  Lines out_;
};

using Strings = std::vector<std::string>;

TEST_F(ToolCheckTest, AGoodCallGoesOnWhole) {
  ToolCheck check = this->check(BrokenCall::ask_again);
  call(check, "Bash", R"({"command":"echo \"a\""})");
  finish(check);
  EXPECT_EQ(lines(), (Strings{"call Bash", R"(+ {"command":"echo \"a\""})", "stop",
                              finished(StopReason::tool_use)}));
  EXPECT_GT(out_.progress, 5);
}

TEST_F(ToolCheckTest, NameAndArgumentsAreRepaired) {
  ToolCheck check = this->check(BrokenCall::ask_again);
  call(check, "bash", R"({"Command":"ls","timeout":"3"})");
  finish(check);
  EXPECT_EQ(lines(), (Strings{"call Bash", R"(+ {"command":"ls","timeout":3})", "stop",
                              finished(StopReason::tool_use)}));
}

TEST_F(ToolCheckTest, ABrokenCallFailsTheFirstTry) {
  ToolCheck check = this->check(BrokenCall::ask_again);
  call(check, "Bash", R"({"timeout":3})");
  call(check, "Bash", R"({"command":"ls"})");
  finish(check);
  EXPECT_EQ(lines(), (Strings{"error broken_tool_call: the model's call of Bash is not usable: "
                              "command: is missing"}));
}

TEST_F(ToolCheckTest, ABrokenCallIsToldAsTextAndEndsTheTurn) {
  ToolCheck check = this->check(BrokenCall::tell);
  call(check, "Bash", R"({"timeout":"a\"b"})");
  finish(check);
  EXPECT_EQ(lines(), (Strings{"text",
                              "+ [The local model's call of the tool Bash is not usable: timeout: "
                              R"(must be integer. It said: {"timeout":"a\"b"}])",
                              "stop", finished(StopReason::end_turn)}));
}

TEST_F(ToolCheckTest, BesideAGoodCallTheTurnStillEndsInIt) {
  ToolCheck check = this->check(BrokenCall::tell);
  call(check, "Delete", "{}");
  call(check, "Bash", R"({"command":"ls"})");
  finish(check);
  EXPECT_EQ(lines().size(), 7U);
  EXPECT_EQ(lines().back(), finished(StopReason::tool_use));
}

TEST_F(ToolCheckTest, ACallThatTheLimitCutIsToldWithThatReason) {
  ToolCheck check = this->check(BrokenCall::tell);
  call(check, "Bash", R"({"command":"l)");
  finish(check, StopReason::max_tokens);
  EXPECT_EQ(lines().back(), finished(StopReason::max_tokens));
  EXPECT_EQ(lines().front(), "text");
}

TEST_F(ToolCheckTest, OnceCommittedNobodyIsAskedAgain) {
  ToolCheck check = this->check(BrokenCall::ask_again);
  check.committed();
  call(check, "Bash", "{}");
  EXPECT_EQ(lines().front(), "text");
}

TEST_F(ToolCheckTest, AnEndlessCallIsAFailure) {
  ToolCheck check = this->check(BrokenCall::tell);
  call(check, "Bash", "{\"command\":\"" + std::string(2000, 'x') + "\"}");
  EXPECT_EQ(lines(), (Strings{"error : a tool call is larger than its limit"}));
}

// `text` as one block in pieces of `size` bytes.
void say(ToolCheck& check, std::string_view text, std::size_t size) {
  chat::Event event;
  event.kind = EventKind::block_start;
  event.block = BlockKind::text;
  check.on_event(event);
  event.kind = EventKind::delta;
  for (std::size_t at = 0; at < text.size(); at += size) {
    const std::string piece = chat::escape(text.substr(at, size));
    event.text = {piece};
    check.on_event(event);
  }
  event.kind = EventKind::block_stop;
  event.text = {};
  check.on_event(event);
}

// The lines with neighbouring pieces of text put together.
Strings joined(const Strings& lines) {
  Strings made;
  bool in_text = false;
  for (const std::string& line : lines) {
    if (in_text && line.starts_with("+ ") && made.back().starts_with("+ ")) {
      made.back() += line.substr(2);
    } else {
      made.push_back(line);
    }
    in_text = line == "text" || (in_text && line != "stop");
  }
  return made;
}

constexpr std::string_view kWritten = "<|tool_call>call:bash{command:<|\"|>ls<|\"|>}<tool_call|>";

TEST_F(ToolCheckTest, ACallWrittenAsTextBecomesOneHoweverItIsCut) {
  const std::string text = "Let me <b>see</b>. " + std::string(kWritten);
  for (std::size_t size = 1; size <= text.size(); ++size) {
    out_.lines.clear();
    ToolCheck check(ToolCheckSetup{{&tool_}}, out_);
    say(check, text, size);
    finish(check, StopReason::end_turn);
    ASSERT_EQ(joined(lines()),
              (Strings{"text", "+ Let me <b>see</b>. ", "stop", "call Bash",
                       R"(+ {"command":"ls"})", "stop", finished(StopReason::tool_use)}))
        << size;
  }
}

TEST_F(ToolCheckTest, WhatIsNoCallStaysTheTextItWas) {
  for (const std::string text :
       {"<|tool_call>call:Delete{a:1}<tool_call|> no", "```json\n{\"name\": \"x\"}\n``` `` ```",
        "a <| b <|tool", "```\n{\"name\":\"Bash\",\"arguments\":{\"wrong\":1}}\n```"}) {
    for (const std::size_t size : {1U, 2U, 5U, 1000U}) {
      out_.lines.clear();
      ToolCheck check(ToolCheckSetup{{&tool_}}, out_);
      say(check, text, size);
      finish(check, StopReason::end_turn);
      ASSERT_EQ(joined(lines()),
                (Strings{"text", "+ " + text, "stop", finished(StopReason::end_turn)}))
          << size;
    }
  }
}

TEST_F(ToolCheckTest, ACallThatLedNowhereIsNotMadeAgain) {
  ToolCheckSetup setup{{&tool_}};
  setup.repeated = RepeatedCall{"Bash", R"({"command":"ls"})"};
  ToolCheck check(setup, out_);
  call(check, "Bash", R"({"command":"pwd"})");
  call(check, "Bash", R"({ "command" : "ls" })");
  EXPECT_EQ(lines()[0], "call Bash");
  EXPECT_EQ(lines()[3], "text");
  EXPECT_NE(lines()[4].find("gave the same result before"), std::string::npos);
}

TEST_F(ToolCheckTest, WordsAreAskedForInTheirFormatAndACallPasses) {
  ToolCheckSetup setup{{&tool_}};
  setup.words = Words::want_form;
  ToolCheck words(setup, out_);
  say(words, "five", 2);
  finish(words, StopReason::end_turn);
  ASSERT_EQ(lines().size(), 1U);
  EXPECT_TRUE(lines()[0].starts_with("error answer_wants_its_format"));
  out_.lines.clear();
  ToolCheck calls(setup, out_);
  say(calls, "I look.", 3);
  call(calls, "Bash", R"({"command":"ls"})");
  finish(calls);
  EXPECT_EQ(lines(), (Strings{"call Bash", R"(+ {"command":"ls"})", "stop",
                              finished(StopReason::tool_use)}));
}

}  // namespace
}  // namespace nl::gateway
