#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>

#include "dialect/json.h"
#include "dialect/ollama.h"

namespace nl::dialect {
namespace {

using chat::JsonRaw;
using chat::Role;

chat::Block text(std::string_view words) {
  return chat::Text{{words}, {}};
}
chat::Image picture(std::string_view base64) {
  chat::Image image;
  image.media_type = {"image/png"};
  image.base64 = {base64};
  return image;
}

class OllamaEncode : public testing::Test {
 protected:
  void SetUp() override {
    request_.model = {"asked"};
    options_.model = "target";
  }
  void say(Role role, std::vector<chat::Block> blocks) {
    request_.messages.push_back({role, std::move(blocks)});
  }
  std::string encode() {
    auto made = Ollama().encode_request(request_, options_);
    EXPECT_TRUE(made) << (made ? "" : made.error().message);
    body_ = made ? *made : "";
    EXPECT_TRUE(document_.parse(body_, DuplicateKeys::refuse_top_level)) << body_;
    return body_;
  }
  std::string member(std::string_view name) {
    encode();
    return std::string(document_.root()[name].raw());
  }
  std::int64_t window() {
    encode();
    return document_.root()["options"]["num_ctx"].integer().value_or(-1);
  }
  void declare(std::string_view name, std::string_view schema) {
    chat::Tool tool;
    tool.name = {name};
    tool.schema = JsonRaw{schema};
    request_.tools.push_back(tool);
  }
  std::string parameters(std::string_view schema) {
    request_.tools.clear();
    declare("f", schema);
    encode();
    return std::string(document_.root()["tools"].first()["function"]["parameters"].raw());
  }

  chat::Request request_;
  EncodeOptions options_;
  std::string body_;
  Document document_;
};

TEST_F(OllamaEncode, StatesWhatTheServerWouldElseDecide) {
  say(Role::user, {text("hi")});
  EXPECT_EQ(encode(), R"({"model":"target","messages":[{"role":"user","content":"hi"}],)"
                      R"("think":false,"stream":false,"truncate":false,"shift":false,)"
                      R"("options":{"num_ctx":8192}})");
}

TEST_F(OllamaEncode, TheWindowIsTheOneSet) {
  say(Role::user, {text("hi")});
  options_.context_tokens = 20000;
  request_.max_tokens = 64000;
  EXPECT_EQ(window(), 20000);
}

TEST_F(OllamaEncode, AnUnsetWindowHoldsThePromptAndTheAnswer) {
  say(Role::user, {text("hi")});
  EXPECT_EQ(window(), 8192);
  request_.max_tokens = 8191;
  EXPECT_EQ(window(), 8192);
  request_.max_tokens = 8193;
  EXPECT_EQ(window(), 16384);
  options_.max_tokens_cap = 4096;
  EXPECT_EQ(window(), 8192);
  request_.max_tokens = 1'000'000;
  options_.max_tokens_cap.reset();
  EXPECT_EQ(window(), 131072);
}

TEST_F(OllamaEncode, AnUnsetWindowGrowsWithThePromptToItsBound) {
  // 360,000 bytes are 100,000 tokens by the estimate.
  const std::string prompt(360'000, 'x');
  say(Role::user, {text(prompt)});
  EXPECT_EQ(window(), 131072);
  request_.messages.clear();
  const std::string half = prompt.substr(0, 72'000);
  say(Role::user, {text(half)});
  EXPECT_EQ(window(), 32768);
}

TEST_F(OllamaEncode, ExtraMembersGoAlong) {
  say(Role::user, {text("hi")});
  options_.extra_members = R"("keep_alive":"30m")";
  EXPECT_EQ(member("keep_alive"), "\"30m\"");
}

TEST_F(OllamaEncode, ThinksOnlyWhenAskedAndAble) {
  say(Role::user, {text("hi")});
  EXPECT_EQ(member("think"), "false");
  request_.reasoning.enabled = true;
  EXPECT_EQ(member("think"), "false");
  options_.reasoning = true;
  EXPECT_EQ(member("think"), "true");
}

TEST_F(OllamaEncode, ImagesAreBareBase64AndNothingDamagedGoesAlong) {
  const auto images = [&](std::string_view base64) {
    request_.messages.clear();
    say(Role::user, {text("see"), picture(base64)});
    encode();
    return std::string(document_.root()["messages"].first()["images"].raw());
  };
  EXPECT_EQ(images("AAAA"), R"(["AAAA"])");
  EXPECT_EQ(images("AAA"), R"(["AAA="])");
  EXPECT_EQ(images("AA="), R"(["AA=="])");
  EXPECT_EQ(images(R"(\/9j\/\nAA==)"), R"(["/9j/AA=="])");
  for (const std::string_view damaged : {"A", "AAAA=A", "A-_A", "data:x", "====", "AA==="}) {
    EXPECT_EQ(images(damaged), "") << damaged;
    EXPECT_NE(body_.find("[image left out"), std::string::npos) << damaged;
  }
}

TEST_F(OllamaEncode, OnlyAllowedToolsAreDeclared) {
  say(Role::user, {text("hi")});
  declare("a", "{}");
  declare("b", "{}");
  options_.tools_allowed = {"b"};
  const std::string tools = member("tools");
  EXPECT_EQ(tools.find("\"a\""), std::string::npos);
  EXPECT_NE(tools.find("\"b\""), std::string::npos);
  options_.tools_allowed = {""};
  EXPECT_EQ(member("tools"), "");
}

TEST_F(OllamaEncode, SchemasKeepToTheServersTypes) {
  say(Role::user, {text("hi")});
  const std::string none = R"({"type":"object","properties":{}})";
  for (const std::string_view odd :
       {"", "{}", "true", "[1]", "not json", R"({"type":["object","null"]})",
        R"({"type":"object","properties":null})", R"({"type":"object","properties":[]})",
        R"({"type":"object","required":"a"})", R"({"type":"object","required":[1]})"}) {
    EXPECT_EQ(parameters(odd), none) << odd;
  }
  EXPECT_EQ(parameters(R"({"properties":{"a":{"type":["string","null"],"enum":["x",null]}}})"),
            R"({"type":"object","properties":{"a":{"type":["string","null"],"enum":["x",null]}}})");
  EXPECT_EQ(parameters(R"({"type":"object","properties":{"a":{"anyOf":{},"enum":{},"type":{},)"
                       R"("description":[],"required":true,"properties":1,"items":false}}})"),
            R"({"type":"object","properties":{"a":{"items":false}}})");
}

TEST_F(OllamaEncode, SchemasNestAsDeepAsAsked) {
  say(Role::user, {text("hi")});
  EXPECT_EQ(parameters(R"({"type":"object","properties":{"a":{"properties":{"b":{"anyOf":[)"
                       R"({"properties":{"c":{"required":true}}},false]}}}}})"),
            R"({"type":"object","properties":{"a":{"properties":{"b":{"anyOf":[)"
            R"({"properties":{"c":{}}},{}]}}}}})");
}

TEST_F(OllamaEncode, NothingToSayIsStillAQuestion) {
  EXPECT_EQ(member("messages"), R"([{"role":"user","content":""}])");
  say(Role::assistant, {text("I")});
  say(Role::user, {text("")});
  EXPECT_EQ(member("messages"),
            R"([{"role":"assistant","content":"I"},{"role":"user","content":""}])");
}

TEST_F(OllamaEncode, RefusesWhatOnlyAnotherDialectKnows) {
  request_.only_this_dialect = "n";
  const auto made = Ollama().encode_request(request_, options_);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::unsupported);
}

}  // namespace
}  // namespace nl::dialect
