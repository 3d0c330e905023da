#include "gateway/call_loop.h"

#include <gtest/gtest.h>

#include <list>

#include "gateway/call_marks.h"
#include "gateway/text_calls.h"

namespace nl::gateway {
namespace {

// A conversation of calls of Bash with results.
class Talk {
 public:
  void call(const std::string& arguments, const std::string& result) {
    const std::string_view id = kept_.emplace_back("c" + std::to_string(++ids_));
    chat::ToolUse use;
    use.id = {id};
    use.name = {"Bash"};
    use.input = {kept_.emplace_back(arguments)};
    chat::Message asked;
    asked.role = chat::Role::assistant;
    asked.content.emplace_back(use);
    chat::ToolResult got;
    got.tool_use_id = {id};
    chat::Text text;
    text.text = {kept_.emplace_back(result)};
    got.content.emplace_back(text);
    chat::Message answered;
    answered.content.emplace_back(got);
    request.messages.push_back(asked);
    request.messages.push_back(answered);
  }
  void user(const std::string& words) {
    chat::Text text;
    text.text = {kept_.emplace_back(words)};
    chat::Message message;
    message.content.emplace_back(text);
    request.messages.push_back(message);
  }
  chat::Request request;

 private:
  std::list<std::string> kept_;
  int ids_ = 0;
};

TEST(CallLoop, is_seen_when_the_last_calls_and_results_are_one) {
  Talk talk;
  talk.user("go");
  talk.call(R"({"command":"ls","n":1})", "none");
  EXPECT_FALSE(repeated_call(talk.request));
  talk.call(R"({"command":"ls","n":1})", "none");
  EXPECT_FALSE(repeated_call(talk.request));
  talk.call(R"({"n": 1, "command": "\u006cs"})", "none");
  const auto repeated = repeated_call(talk.request);
  ASSERT_TRUE(repeated);
  EXPECT_EQ(repeated->name, "Bash");
  EXPECT_TRUE(same_arguments(repeated->arguments, R"({"command":"ls","n":1})"));
  EXPECT_FALSE(same_arguments(repeated->arguments, R"({"command":"ls","n":2})"));
}

TEST(CallLoop, is_none_when_the_result_changes_or_the_user_spoke_in_between) {
  Talk changing;
  changing.call(R"({"command":"ls"})", "1");
  changing.call(R"({"command":"ls"})", "1");
  changing.call(R"({"command":"ls"})", "2");
  EXPECT_FALSE(repeated_call(changing.request));
  Talk asked;
  asked.call(R"({"command":"ls"})", "1");
  asked.call(R"({"command":"ls"})", "1");
  asked.call(R"({"command":"ls"})", "1");
  asked.user("again, please");
  EXPECT_FALSE(repeated_call(asked.request));
}

TEST(CallMarks, are_read_as_json) {
  EXPECT_EQ(read_marked_arguments(R"({a:<|"|>x "y"<|"|>,n:1,b:[true,{c:null}]} rest)"),
            R"({"a":"x \"y\"","n":1,"b":[true,{"c":null}]})");
  EXPECT_EQ(read_marked_arguments(R"({"a": "b"})"), R"({"a":"b"})");
  EXPECT_EQ(read_marked_arguments("{}"), "{}");
  for (const char* broken : {"{a", "{a:", R"({a:<|"|>x})", "{a:b}", "[1]", "", "{a:1,}"}) {
    EXPECT_FALSE(read_marked_arguments(broken)) << broken;
  }
}

TEST(CallMarks, make_a_call_with_its_name) {
  const auto call = read_written_call("<|tool_call>call:Bash{command:<|\"|>ls<|\"|>}<tool_call|>");
  ASSERT_TRUE(call);
  EXPECT_EQ(call->name, "Bash");
  EXPECT_EQ(call->arguments, R"({"command":"ls"})");
  const auto json = read_written_call("```json\n{\"name\":\"a\",\"parameters\":{\"b\":1}}\n```");
  ASSERT_TRUE(json);
  EXPECT_EQ(json->arguments, R"({"b":1})");
  EXPECT_FALSE(read_written_call("```json\n{\"a\":1}\n```"));
}

}  // namespace
}  // namespace nl::gateway
