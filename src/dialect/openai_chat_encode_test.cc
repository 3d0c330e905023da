#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>

#include "dialect/json.h"
#include "dialect/openai_chat.h"

namespace nl::dialect {
namespace {

using chat::JsonRaw;
using chat::JsonText;
using chat::Role;

chat::Block text(std::string_view words) {
  return chat::Text{{words}, {}};
}
chat::Block use(std::string_view id, std::string_view input = "{}") {
  chat::ToolUse call;
  call.id = {id};
  call.name = {"f"};
  call.input = {input};
  return call;
}
chat::Block result(std::string_view id, std::string_view words) {
  chat::ToolResult made;
  made.tool_use_id = {id};
  if (!words.empty()) made.content.emplace_back(chat::Text{{words}, {}});
  return made;
}
chat::Image png() {
  chat::Image image;
  image.media_type = {"image/png"};
  image.base64 = {"AAAA"};
  return image;
}

class OpenAiChatEncode : public testing::Test {
 protected:
  void SetUp() override {
    request_.model = {"asked"};
    options_.model = "target";
  }
  void say(Role role, std::vector<chat::Block> blocks) {
    request_.messages.push_back({role, std::move(blocks)});
  }
  std::string encode() {
    auto made = OpenAiChat().encode_request(request_, options_);
    EXPECT_TRUE(made) << (made ? "" : made.error().message);
    body_ = made ? *made : "";
    EXPECT_TRUE(document_.parse(body_, DuplicateKeys::refuse_top_level)) << body_;
    return body_;
  }
  std::string member(std::string_view name) {
    encode();
    return std::string(document_.root()[name].raw());
  }
  std::string messages() { return member("messages"); }

  chat::Request request_;
  EncodeOptions options_;
  std::string body_;
  Document document_;
};

TEST_F(OpenAiChatEncode, WritesTheLeastBodyThatIsNeeded) {
  say(Role::user, {text("hi")});
  EXPECT_EQ(encode(), R"({"model":"target","messages":[{"role":"user","content":"hi"}]})");
}

TEST_F(OpenAiChatEncode, SystemTextIsOneLeadingMessageAndLaterOnesAreTagged) {
  request_.system = {{{"a"}, {}}, {{"b"}, JsonRaw{"{}"}}};
  say(Role::user, {text("hi")});
  say(Role::system, {text("note")});
  EXPECT_EQ(messages(), R"([{"role":"system","content":"a\n\nb"},{"role":"user",)"
                        R"("content":"hi\n\n<system-reminder>\nnote\n</system-reminder>"}])");
}

TEST_F(OpenAiChatEncode, ResultsFollowTheirCallsInCallOrder) {
  say(Role::user, {text("go")});
  say(Role::assistant, {text("Now."), use("a", R"({"p":"q\n"})"), use("b")});
  say(Role::system, {text("note")});
  say(Role::user, {text("and"), result("b", "B"), result("a", "A")});
  EXPECT_EQ(
      messages(),
      R"([{"role":"user","content":"go"},{"role":"assistant","content":"Now.","tool_calls":[)"
      R"({"id":"a","type":"function","function":{"name":"f","arguments":"{\"p\":\"q\\n\"}"}},)"
      R"({"id":"b","type":"function","function":{"name":"f","arguments":"{}"}}]},)"
      R"({"role":"tool","tool_call_id":"a","content":"A"},)"
      R"({"role":"tool","tool_call_id":"b","content":"B"},)"
      R"({"role":"user","content":"<system-reminder>\nnote\n</system-reminder>\n\nand"}])");
}

TEST_F(OpenAiChatEncode, MissingResultsAreMadeAndOrphansBecomeText) {
  say(Role::user, {text("go")});
  say(Role::assistant, {use("a")});
  say(Role::user, {result("z", "Z")});
  EXPECT_EQ(messages(),
            R"([{"role":"user","content":"go"},{"role":"assistant","content":null,"tool_calls":[)"
            R"({"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]},)"
            R"({"role":"tool","tool_call_id":"a","content":"[tool error] no result was recorded"},)"
            R"({"role":"user","content":"<tool-result>\nZ\n</tool-result>"}])");
}

TEST_F(OpenAiChatEncode, ErrorsAndEmptyResultsSaySo) {
  chat::ToolResult bad;
  bad.tool_use_id = {"a"};
  bad.is_error = true;
  bad.content = {chat::Text{{"boom"}, {}}};
  say(Role::assistant, {use("a"), use("b")});
  say(Role::user, {bad, result("b", "")});
  const std::string body = messages();
  EXPECT_NE(body.find(R"("tool_call_id":"a","content":"[tool error] boom")"), std::string::npos);
  EXPECT_NE(body.find(R"x("tool_call_id":"b","content":"(no output)")x"), std::string::npos);
}

TEST_F(OpenAiChatEncode, ImagesOfResultsMoveBehindAllResults) {
  chat::ToolResult seen;
  seen.tool_use_id = {"a"};
  seen.content = {chat::Text{{"shot"}, {}}, png()};
  say(Role::assistant, {use("a"), use("b")});
  say(Role::user, {seen, result("b", "B"), text("look")});
  const std::string body = messages();
  EXPECT_TRUE(body.ends_with(
      R"({"role":"tool","tool_call_id":"a","content":"shot\n[image: see the next user message]"},)"
      R"({"role":"tool","tool_call_id":"b","content":"B"},{"role":"user","content":[)"
      R"({"type":"text","text":"[image of tool result a]"},)"
      R"({"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}},)"
      R"({"type":"text","text":"look"}]}])"))
      << body;
}

TEST_F(OpenAiChatEncode, ATextOnlyTargetGetsANoteForEachImage) {
  options_.images = false;
  chat::ToolResult seen;
  seen.tool_use_id = {"a"};
  seen.content = {png()};
  say(Role::user, {text("see"), png()});
  say(Role::assistant, {use("a")});
  say(Role::user, {seen});
  const std::string body = messages();
  EXPECT_EQ(body.find("image_url"), std::string::npos);
  EXPECT_NE(body.find(R"("content":"see\n\n[image left out: this model reads text only]")"),
            std::string::npos)
      << body;
}

TEST_F(OpenAiChatEncode, AnAssistantTurnOfThinkingAloneIsLeftOut) {
  say(Role::user, {text("a")});
  say(Role::assistant, {chat::Thinking{{"hm"}, {"sig"}, {}}});
  say(Role::user, {text("b")});
  EXPECT_EQ(messages(), R"([{"role":"user","content":"a\n\nb"}])");
}

TEST_F(OpenAiChatEncode, AConversationNeverEndsInTheAssistantsWordsByAccident) {
  say(Role::user, {text("a")});
  say(Role::assistant, {text("b")});
  say(Role::user, {text("")});
  EXPECT_TRUE(
      messages().ends_with(R"({"role":"assistant","content":"b"},{"role":"user","content":""}])"));
}

TEST_F(OpenAiChatEncode, LongIdsAndNamesAreMappedTheSameWayEverywhere) {
  const std::string id(200, 'i');
  const std::string name = "mcp__" + std::string(80, 'n');
  chat::ToolUse call;
  call.id = {id};
  call.name = {name};
  call.input = {"{}"};
  chat::Tool tool;
  tool.name = {name};
  request_.tools = {tool};
  request_.tool_choice = chat::ToolChoice::named;
  request_.tool_choice_name = {name};
  say(Role::assistant, {call});
  say(Role::user, {result(id, "x")});
  encode();
  const Value root = document_.root();
  const Value sent = root["messages"].first()["tool_calls"].first();
  EXPECT_LE(sent["id"].text().escaped.size(), 64U);
  EXPECT_EQ(sent["id"].raw(), root["messages"].first().next()["tool_call_id"].raw());
  EXPECT_EQ(sent["function"]["name"].raw(), root["tools"].first()["function"]["name"].raw());
  EXPECT_EQ(sent["function"]["name"].raw(), root["tool_choice"]["function"]["name"].raw());
  EXPECT_LE(sent["function"]["name"].text().escaped.size(), 64U);
}

TEST_F(OpenAiChatEncode, ToolsAlwaysHavePropertiesAndVendorToolsAreDropped) {
  chat::Tool none;
  none.name = {"f"};
  chat::Tool bare;
  bare.name = {"g"};
  bare.description = {"d"};
  bare.schema = {R"({"type":"object","$schema":"x"})"};
  chat::Tool vendor;
  vendor.kind = chat::ToolKind::vendor;
  vendor.name = {"web_search"};
  request_.tools = {none, vendor, bare};
  say(Role::user, {text("x")});
  EXPECT_EQ(member("tools"),
            R"([{"type":"function","function":{"name":"f","parameters":{"type":"object",)"
            R"("properties":{}}}},{"type":"function","function":{"name":"g","description":"d",)"
            R"("parameters":{"type":"object","$schema":"x","properties":{}}}}])");
  options_.tools_allowed = {"g"};
  EXPECT_EQ(member("tools").find("\"f\""), std::string::npos);
  options_.tools_allowed = {"nothing"};
  request_.tool_choice = chat::ToolChoice::any;
  request_.parallel_tools = true;
  EXPECT_EQ(encode(), R"({"model":"target","messages":[{"role":"user","content":"x"}]})");
}

TEST_F(OpenAiChatEncode, StrictIsSaidOnlyOfSchemasThatAre) {
  chat::Tool tool;
  tool.name = {"f"};
  tool.strict = {"true"};
  tool.schema = {R"({"type":"object","properties":{"a":{}},"required":["a"],)"
                 R"("additionalProperties":false})"};
  say(Role::user, {text("x")});
  request_.tools = {tool};
  EXPECT_NE(member("tools").find(R"("strict":true)"), std::string::npos);
  request_.tools[0].schema = {R"({"type":"object","properties":{"a":{}},)"
                              R"("additionalProperties":false})"};
  EXPECT_EQ(member("tools").find("strict"), std::string::npos);
}

TEST_F(OpenAiChatEncode, LimitsAreClampedAndNamedAsTheTargetWants) {
  say(Role::user, {text("x")});
  request_.max_tokens = 128000;
  options_.max_tokens_cap = 8192;
  EXPECT_EQ(member("max_completion_tokens"), "8192");
  options_.max_completion_tokens = false;
  EXPECT_EQ(member("max_tokens"), "8192");
  EXPECT_EQ(member("max_completion_tokens"), "");
}

TEST_F(OpenAiChatEncode, SamplingReasoningAndFormat) {
  say(Role::user, {text("x")});
  request_.sampling.temperature = 0.7;
  request_.sampling.top_p = 1.0;
  request_.sampling.top_k = 40;
  request_.sampling.stop = {{"a"}, {"b"}, {"c"}, {"d"}, {"e"}};
  request_.reasoning.enabled = true;
  request_.reasoning.budget_tokens = 10000;
  request_.format.kind = chat::Format::json_schema;
  request_.format.schema = {R"({"type":"object"})"};
  request_.stream = true;
  request_.user = {"u"};
  options_.reasoning = true;
  options_.extra_members = R"("provider":{"order":["x"]})";
  EXPECT_EQ(encode(),
            R"({"model":"target","messages":[{"role":"user","content":"x"}],"temperature":0.7,)"
            R"("top_p":1,"stop":["a","b","c","d"],"reasoning_effort":"medium","response_format":)"
            R"({"type":"json_schema","json_schema":{"name":"answer","schema":{"type":"object"}}},)"
            R"("user":"u","stream":true,"stream_options":{"include_usage":true},)"
            R"("provider":{"order":["x"]}})");
  options_.drop_sampling = true;
  options_.reasoning = false;
  EXPECT_EQ(member("temperature"), "");
  EXPECT_EQ(member("reasoning_effort"), "");
}

TEST_F(OpenAiChatEncode, DocumentsThatAreTextKeepTheirTextOthersAreNamed) {
  const std::string document = R"({"type":"document","source":{"type":"text","data":"words"}})";
  const std::string large =
      R"({"type":"document","source":{"data":")" + std::string(5000, 'A') + R"("}})";
  say(Role::user, {chat::Opaque{"document", {document}}, chat::Opaque{"document", {large}}});
  EXPECT_EQ(messages(), R"([{"role":"user","content":"words\n\n[document left out]"}])");
}

TEST_F(OpenAiChatEncode, ArgumentsThatAreNoObjectAreWrapped) {
  chat::ToolUse call;
  call.id = {"a"};
  call.name = {"f"};
  call.input_text = {"nonsense"};
  say(Role::assistant, {call});
  EXPECT_NE(messages().find(R"("arguments":"{\"arguments\":\"nonsense\"}")"), std::string::npos);
}

TEST_F(OpenAiChatEncode, HalfASurrogatePairIsReplaced) {
  say(Role::user, {text(R"(a\ud800b)")});
  EXPECT_EQ(messages(), R"([{"role":"user","content":"a\ufffdb"}])");
}

TEST_F(OpenAiChatEncode, ARequestOfOneVendorAloneIsUnsupported) {
  request_.only_this_dialect = "mcp_servers";
  const auto made = OpenAiChat().encode_request(request_, options_);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::unsupported);
}

}  // namespace
}  // namespace nl::dialect
