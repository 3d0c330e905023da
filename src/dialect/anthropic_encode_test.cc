#include "dialect/anthropic_encode.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "dialect/anthropic.h"

namespace nl::dialect {
namespace {

using chat::Role;

// A request under construction and the body it becomes.
class AnthropicEncode : public testing::Test {
 protected:
  AnthropicEncode() {
    options_.model = "target";
    options_.reasoning = true;
  }
  void say(Role role, chat::Block block) {
    chat::Message message{role, {}};
    message.content.push_back(std::move(block));
    request_.messages.push_back(std::move(message));
  }
  void say(Role role, const char* escaped) { say(role, chat::Text{{escaped}, {}}); }
  void call(const char* id, const char* arguments) {
    chat::ToolUse use;
    use.id = {id};
    use.name = {"f"};
    use.input_text = {arguments};
    say(Role::assistant, use);
  }
  void result(const char* id, const char* text) {
    chat::ToolResult made;
    made.tool_use_id = {id};
    made.content.emplace_back(chat::Text{{text}, {}});
    say(Role::user, made);
  }
  // The value of a top-level member, raw; empty when it is not there.
  std::string member(const char* name) {
    const auto body = Anthropic().encode_request(request_, options_);
    EXPECT_TRUE(body) << body.error().message;
    Document document;
    EXPECT_TRUE(document.parse(*body, DuplicateKeys::refuse_top_level)) << *body;
    return std::string(document.root()[name].raw());
  }

  chat::Request request_;
  EncodeOptions options_;
};

TEST_F(AnthropicEncode, BeginsWithTheUserAndIsNeverEmpty) {
  EXPECT_EQ(member("messages"),
            R"([{"role":"user","content":[{"type":"text","text":"Continue."}]}])");
  say(Role::assistant, "Hello");
  EXPECT_EQ(member("messages"),
            R"([{"role":"user","content":[{"type":"text","text":"Continue."}]},)"
            R"({"role":"assistant","content":[{"type":"text","text":"Hello"}]}])");
}

TEST_F(AnthropicEncode, LeavesOutBlankTextAndTrimsThePrefill) {
  say(Role::user, "hi");
  say(Role::assistant, " \\n");
  say(Role::user, "\\t");
  say(Role::assistant, "a\\\\n \\n");
  EXPECT_EQ(member("messages"),
            R"([{"role":"user","content":[{"type":"text","text":"hi"}]},)"
            R"({"role":"assistant","content":[{"type":"text","text":"a\\n"}]}])");
}

TEST_F(AnthropicEncode, FitsToolIdsTheSameOnBothSides) {
  say(Role::user, "go");
  call("functions.f:0", R"({\"a\":1})");
  result("functions.f:0", "done");
  const std::string messages = member("messages");
  EXPECT_NE(messages.find(R"("id":"call_)"), std::string::npos);
  EXPECT_NE(messages.find(R"("tool_use_id":"call_)"), std::string::npos);
  EXPECT_EQ(messages.find("functions."), std::string::npos);
  EXPECT_NE(messages.find(R"("input":{"a":1})"), std::string::npos);
}

TEST_F(AnthropicEncode, SplitsDataUrls) {
  chat::Image image;
  image.url = {"data:image\\/jpg;base64,AAAA"};
  say(Role::user, image);
  EXPECT_NE(member("messages").find(R"({"type":"base64","media_type":"image/jpeg","data":"AAAA"})"),
            std::string::npos);
}

TEST_F(AnthropicEncode, NotesImagesThatHaveNoForm) {
  for (const char* url : {"data:image/svg+xml;base64,AAAA", "data:text,x", "ftp://host/a.png"}) {
    request_.messages.clear();
    chat::Image image;
    image.url = {url};
    say(Role::user, image);
    EXPECT_NE(member("messages").find("[image left out]"), std::string::npos) << url;
  }
}

TEST_F(AnthropicEncode, ClampsAndDefaultsLimits) {
  say(Role::user, "hi");
  EXPECT_EQ(member("max_tokens"), "32000");
  options_.max_tokens_cap = 8000;
  EXPECT_EQ(member("max_tokens"), "8000");
  request_.max_tokens = 100;
  EXPECT_EQ(member("max_tokens"), "100");
  request_.sampling.temperature = 1.7;
  request_.sampling.top_p = 0.9;
  EXPECT_EQ(member("temperature"), "1");
  EXPECT_EQ(member("top_p"), "");
  options_.drop_sampling = true;
  EXPECT_EQ(member("temperature"), "");
}

TEST_F(AnthropicEncode, ThinksOnlyWhereTheTargetTakesIt) {
  say(Role::user, "hi");
  request_.reasoning.enabled = true;
  request_.reasoning.effort = chat::Effort::high;
  EXPECT_EQ(member("thinking"), R"({"type":"enabled","budget_tokens":16000})");
  request_.max_tokens = 3000;
  EXPECT_EQ(member("thinking"), R"({"type":"enabled","budget_tokens":1500})");
  request_.max_tokens = 1000;
  EXPECT_EQ(member("thinking"), "");
  options_.drop_sampling = true;
  EXPECT_EQ(member("thinking"), R"({"type":"adaptive"})");
  EXPECT_EQ(member("output_config"), R"({"effort":"high"})");
  request_.tool_choice = chat::ToolChoice::any;
  EXPECT_EQ(member("thinking"), "") << "a forced tool excludes thinking";
  request_.tool_choice = chat::ToolChoice::unset;
  options_.reasoning = false;
  EXPECT_EQ(member("thinking"), "");
}

TEST_F(AnthropicEncode, DoesNotThinkInsideAToolLoop) {
  request_.reasoning.enabled = true;
  say(Role::user, "go");
  say(Role::assistant, chat::Thinking{{"t"}, {"foreign"}, {}});
  call("1", "{}");
  result("1", "ok");
  EXPECT_EQ(member("thinking"), "");
  EXPECT_EQ(member("messages").find("thinking"), std::string::npos);
  say(Role::assistant, "done");
  say(Role::user, "more");
  EXPECT_NE(member("thinking"), "");
}

TEST_F(AnthropicEncode, AsksForStructure) {
  say(Role::user, "hi");
  request_.format.kind = chat::Format::json_schema;
  request_.format.schema = {R"({"type":"object"})"};
  EXPECT_EQ(member("output_config"),
            R"({"format":{"type":"json_schema","schema":{"type":"object"}}})");
  request_.format = {chat::Format::json_object, {}, {}, {}};
  EXPECT_NE(member("system").find("one JSON object"), std::string::npos);
}

TEST_F(AnthropicEncode, GivesEverySchemaAnObjectType) {
  say(Role::user, "hi");
  for (const auto& [from, to] :
       {std::pair("", R"({"type":"object","properties":{}})"),
        std::pair("{}", R"({"type":"object"})"),
        std::pair(R"({"a":1,"type":"object"})", R"({"a":1,"type":"object"})"),
        std::pair(R"({"type":["object"],"b":2})", R"({"type":"object","b":2})")}) {
    chat::Tool tool;
    tool.name = {"f"};
    tool.schema = {from};
    request_.tools = {tool};
    EXPECT_EQ(member("tools"), std::string(R"([{"name":"f","input_schema":)") + to + "}]");
  }
}

TEST_F(AnthropicEncode, DropsToolsOfOtherVendorsAndChoicesOfThem) {
  say(Role::user, "hi");
  chat::Tool foreign;
  foreign.kind = chat::ToolKind::vendor;
  foreign.vendor = {R"({"type":"web_search","name":"s"})"};
  request_.tools = {foreign};
  request_.tool_choice = chat::ToolChoice::any;
  EXPECT_EQ(member("tools"), "");
  EXPECT_EQ(member("tool_choice"), "");
  chat::Tool kept;
  kept.name = {"Read"};
  chat::Tool slimmed;
  slimmed.name = {"Write"};
  request_.tools = {foreign, kept, slimmed};
  request_.tool_choice = chat::ToolChoice::named;
  request_.tool_choice_name = {"Write"};
  request_.parallel_tools = false;
  options_.tools_allowed = {"Read"};
  EXPECT_EQ(member("tools"),
            R"([{"name":"Read","input_schema":{"type":"object","properties":{}}}])");
  EXPECT_EQ(member("tool_choice"), R"({"type":"auto","disable_parallel_tool_use":true})");
}

TEST_F(AnthropicEncode, KeepsFourCacheMarks) {
  const chat::JsonRaw mark{R"({"type":"ephemeral"})"};
  for (int count = 0; count < 6; ++count) say(Role::user, chat::Text{{"x"}, mark});
  const std::string messages = member("messages");
  int marks = 0;
  for (std::size_t at = 0; (at = messages.find("ephemeral", at)) != std::string::npos; ++at)
    ++marks;
  EXPECT_EQ(marks, 4);
}

TEST_F(AnthropicEncode, RefusesWhatHasNoFormHere) {
  say(Role::user, "hi");
  request_.only_this_dialect = "n";
  const auto body = Anthropic().encode_request(request_, options_);
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().code, ErrorCode::unsupported);
}

TEST_F(AnthropicEncode, AddsExtraMembers) {
  say(Role::user, "hi");
  options_.extra_members = R"("provider":{"order":["a"]})";
  EXPECT_EQ(member("provider"), R"({"order":["a"]})");
}

}  // namespace
}  // namespace nl::dialect
