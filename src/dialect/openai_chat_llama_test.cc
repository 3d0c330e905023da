#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "dialect/anthropic.h"
#include "dialect/json.h"
#include "dialect/openai_chat.h"

namespace nl::dialect {
namespace {

// The body for llama-server that a client's body becomes.
class LlamaBodyTest : public testing::Test {
 protected:
  void SetUp() override {
    options_.model = "gemma";
    options_.server = Server::llama_server;
    options_.context_tokens = 8192;
    options_.images = false;
  }
  std::string from(const Dialect& dialect, std::string_view client) {
    const auto parsed = document_.parse(client);
    EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().message);
    auto request = dialect.decode_request(document_);
    EXPECT_TRUE(request) << (request ? "" : request.error().message);
    auto made = OpenAiChat().encode_request(*request, options_);
    EXPECT_TRUE(made) << (made ? "" : made.error().message);
    return made.value_or("");
  }
  std::string openai(std::string_view members) {
    return from(OpenAiChat(),
                std::string(R"({"model":"m","messages":[{"role":"user","content":"hi"}])")
                    .append(members)
                    .append("}"));
  }
  std::string anthropic(std::string_view members) {
    return from(Anthropic(),
                std::string(R"({"model":"m","max_tokens":4000)").append(members).append("}"));
  }
  // What a user's message becomes.
  std::string said(const std::string& body) {
    EXPECT_TRUE(body_.parse(body, DuplicateKeys::refuse_top_level)) << body;
    return std::string(body_.root()["messages"].first()["content"].raw());
  }
  std::string member(const std::string& body, std::string_view name) {
    EXPECT_TRUE(body_.parse(body, DuplicateKeys::refuse_top_level)) << body;
    return std::string(body_.root()[name].raw());
  }

  EncodeOptions options_;
  Document document_;
  Document body_;
};

constexpr std::string_view kTail =
    R"("chat_template_kwargs":{"enable_thinking":false},"reasoning_effort":"none",)"
    R"("cache_prompt":true,"stream":true,"stream_options":{"include_usage":true},)"
    R"("return_progress":true})";

constexpr std::string_view kTwoTools =
    R"(,"tools":[{"type":"function","function":{"name":"Bash","strict":true,)"
    R"("parameters":{"type":"object","properties":{}}}},)"
    R"({"type":"function","function":{"name":"Read"}}])";
constexpr std::string_view kBash = R"({"type":"function","function":{"name":"Bash",)"
                                   R"("parameters":{"type":"object","properties":{}}}})";

TEST_F(LlamaBodyTest, SaysAlwaysWhatTheServerWouldElseChoose) {
  EXPECT_EQ(openai(""),
            std::string(R"({"model":"gemma","messages":[{"role":"user","content":"hi"}],)")
                .append(R"("max_tokens":4096,)")
                .append(kTail));
}

TEST_F(LlamaBodyTest, NothingOfTheClientsReachesItByItsName) {
  const std::string hostile = openai(
      R"(,"grammar":"root ::= \"x\"","grammar_lazy":true,"logit_bias":{"1":-100},"n_predict":-1,)"
      R"("chat_template":"{{ raise_exception('x') }}","id_slot":1,"slot":0,"cache_prompt":false,)"
      R"("chat_template_kwargs":{"enable_thinking":true,"evil":1},"lora":[{"id":0,"scale":9}],)"
      R"("json_schema":{},"n_keep":-1,"ignore_eos":true,"samplers":["mirostat"],"n_probs":9,)"
      R"("return_tokens":true,"timings_per_token":true,"post_sampling_probs":true,"min_p":0.1,)"
      R"("thinking_budget_tokens":-1,"reasoning_format":"none","parse_tool_calls":false,)"
      R"("add_generation_prompt":false,"continue_final_message":true,"t_max_predict_ms":1,)"
      R"("response_fields":["content"],"speculative.n_max":64,"preserved_tokens":["<x>"],)"
      R"("generation_prompt":"x","dry_multiplier":1,"repeat_penalty":9,"user":"u","metadata":{},)"
      R"("store":true,"service_tier":"flex","parallel_tool_calls":true,"presence_penalty":2,)"
      R"("frequency_penalty":2,"stream_options":{"include_usage":false,"x":1},"no\u0063ache":1,)"
      R"("X-Conversation-Id":"c","conv_id":"c")");
  EXPECT_EQ(hostile, openai(""));
}

TEST_F(LlamaBodyTest, SamplingIsTheClientsOrLeftToTheModel) {
  const std::string body =
      openai(R"(,"temperature":0.5,"top_p":0.9,"top_k":40,"seed":4294967297,"stop":["a","b"],)"
             R"("max_completion_tokens":7)");
  EXPECT_EQ(body, std::string(R"({"model":"gemma","messages":[{"role":"user","content":"hi"}],)")
                      .append(R"("max_tokens":7,"temperature":0.5,"top_p":0.9,"top_k":40,)")
                      .append(R"("seed":1,"stop":["a","b"],)")
                      .append(kTail));
}

TEST_F(LlamaBodyTest, TheAnswerStaysWithinTheWindow) {
  EXPECT_EQ(member(openai(R"(,"max_tokens":32000)"), "max_tokens"), "8191");
  options_.max_tokens_cap = 2048;
  EXPECT_EQ(member(openai(R"(,"max_tokens":32000)"), "max_tokens"), "2048");
  options_.max_tokens_cap.reset();
  options_.context_tokens = 16;
  EXPECT_EQ(member(openai(R"(,"max_tokens":32000)"), "max_tokens"), "512");
  EXPECT_EQ(member(openai(R"(,"max_tokens":3)"), "max_tokens"), "3");
  options_.context_tokens.reset();
  EXPECT_EQ(member(openai(R"(,"max_tokens":32000)"), "max_tokens"), "32000");
}

TEST_F(LlamaBodyTest, ToolChoices) {
  const std::string both(kTwoTools);
  const std::string list =
      std::string("[").append(kBash).append(R"(,{"type":"function","function":{"name":"Read",)"
                                            R"("parameters":{"type":"object","properties":{}}}}])");
  EXPECT_EQ(member(openai(both), "tools"), list);
  EXPECT_EQ(member(openai(both), "tool_choice"), R"("auto")");
  EXPECT_EQ(member(openai(both + R"(,"tool_choice":"required")"), "tool_choice"), R"("required")");
  EXPECT_EQ(member(openai(both + R"(,"tool_choice":"required")"), "tools"), list);

  const std::string named =
      openai(both + R"(,"tool_choice":{"type":"function","function":{"name":"Bash"}})");
  EXPECT_EQ(member(named, "tools"), std::string("[").append(kBash).append("]"));
  EXPECT_EQ(member(named, "tool_choice"), R"("required")");
  const std::string unknown =
      openai(both + R"(,"tool_choice":{"type":"function","function":{"name":"Write"}})");
  EXPECT_EQ(member(unknown, "tools"), list);
  EXPECT_EQ(member(unknown, "tool_choice"), R"("auto")");

  const std::string none = openai(both + R"(,"tool_choice":"none")");
  EXPECT_EQ(none, openai(""));
  options_.tools_allowed = {"Read"};
  EXPECT_EQ(member(openai(both), "tools").find("Bash"), std::string::npos);
}

TEST_F(LlamaBodyTest, AFormatGivesWayToTools) {
  const std::string format = R"(,"response_format":{"type":"json_object"})";
  EXPECT_EQ(member(openai(format), "response_format"), R"({"type":"json_object"})");
  EXPECT_EQ(member(openai(format + std::string(kTwoTools)), "response_format"), "");
  EXPECT_EQ(member(openai(format + std::string(kTwoTools) + R"(,"tool_choice":"none")"),
                   "response_format"),
            R"({"type":"json_object"})");
}

TEST_F(LlamaBodyTest, ThinkingIsSaidEitherWay) {
  const std::string hi = R"(,"messages":[{"role":"user","content":"hi"}])";
  const auto thinks = [&](const std::string& body) {
    return member(body, "chat_template_kwargs") + " " + member(body, "thinking_budget_tokens") +
           " " + member(body, "reasoning_effort");
  };
  const std::string on = R"({"enable_thinking":true} )";
  EXPECT_EQ(thinks(anthropic(hi)), R"({"enable_thinking":false}  "none")");
  EXPECT_EQ(thinks(anthropic(hi + R"(,"thinking":{"type":"enabled","budget_tokens":1024})")),
            on + "1024 ");
  EXPECT_EQ(thinks(anthropic(hi + R"(,"thinking":{"type":"enabled","budget_tokens":3900})")),
            on + "3000 ");
  EXPECT_EQ(thinks(openai(R"(,"reasoning_effort":"low")")), on + "1024 ");
  EXPECT_EQ(thinks(openai(R"(,"reasoning_effort":"none")")),
            R"({"enable_thinking":false}  "none")");
}

TEST_F(LlamaBodyTest, AThoughtGoesBackWithItsCallsOnly) {
  const std::string body = from(OpenAiChat(), R"({"model":"m","messages":[
    {"role":"user","content":"a"},
    {"role":"assistant","reasoning_content":"old","content":"b"},
    {"role":"user","content":"c"},
    {"role":"assistant","reasoning_content":"why\n","content":null,"tool_calls":[
      {"id":"1","type":"function","function":{"name":"f","arguments":"{}"}}]},
    {"role":"tool","tool_call_id":"1","content":"ok"}]})");
  EXPECT_EQ(body.find("old"), std::string::npos);
  EXPECT_NE(body.find(R"("content":null,"reasoning_content":"why\n","tool_calls":[)"),
            std::string::npos);
  options_.server = Server::any;
  EXPECT_EQ(from(OpenAiChat(), R"({"model":"m","messages":[{"role":"user","content":"a"},
    {"role":"assistant","reasoning_content":"why","content":null,"tool_calls":[
      {"id":"1","type":"function","function":{"name":"f","arguments":"{}"}}]}]})")
                .find("why"),
            std::string::npos);
}

TEST_F(LlamaBodyTest, AResultNamesItsToolAndABeginningIsNotRepeated) {
  const std::string result = member(from(OpenAiChat(), R"({"model":"m","messages":[
    {"role":"assistant","content":null,"tool_calls":[
      {"id":"1","type":"function","function":{"name":"f","arguments":"{}"}},
      {"id":"2","type":"function","function":{"name":"g","arguments":"{}"}}]},
    {"role":"tool","tool_call_id":"2","content":"ok"}]})"),
                                    "messages");
  EXPECT_NE(result.find(R"("tool_call_id":"1","name":"f","content":"[tool error])"),
            std::string::npos);
  EXPECT_NE(result.find(R"("tool_call_id":"2","name":"g","content":"ok")"), std::string::npos);
  const std::string begun = member(anthropic(R"(,"messages":[{"role":"user","content":"a"},)"
                                             R"({"role":"assistant","content":"b"}])"),
                                   "messages");
  EXPECT_TRUE(begun.ends_with(
      R"({"role":"assistant","content":"b"},{"role":"user","content":"Go on exactly where you )"
      R"(stopped."}])"))
      << begun;
}

TEST_F(LlamaBodyTest, TheBillingNoteStaysHere) {
  const std::string body =
      anthropic(R"(,"system":[{"type":"text","text":"x-anthropic-billing-header: cch=1;"},)"
                R"({"type":"text","text":"You are"}],"messages":[{"role":"user","content":"hi"}])");
  EXPECT_EQ(member(body, "messages"),
            R"([{"role":"system","content":"You are"},{"role":"user","content":"hi"}])");
}

TEST_F(LlamaBodyTest, ImagesOnlyAsDataOfKnownKinds) {
  const auto with = [&](std::string_view url) {
    return member(
        from(OpenAiChat(), std::string(R"({"model":"m","messages":[{"role":"user","content":[)")
                               .append(R"({"type":"image_url","image_url":{"url":")")
                               .append(url)
                               .append(R"("}}]}]})")),
        "messages");
  };
  EXPECT_NE(with("data:image/png;base64,AAAA").find("reads text only"), std::string::npos);
  options_.images = true;
  EXPECT_NE(with("data:image/png;base64,AAAA").find("image_url"), std::string::npos);
  for (const std::string_view url :
       {"http://169.254.169.254/x.png", "file:///etc/passwd", "data:image/webp;base64,AAAA"}) {
    const std::string messages = with(url);
    EXPECT_EQ(messages.find("image_url"), std::string::npos) << messages;
    EXPECT_EQ(messages.find("169.254"), std::string::npos) << messages;
    EXPECT_NE(messages.find("[image left out"), std::string::npos) << messages;
  }
}

TEST_F(LlamaBodyTest, SoundReachesAServerThatHearsAsBytesAlone) {
  const auto openai_sound = [this](std::string_view sound) {
    return said(from(OpenAiChat(), fmt::format(R"({{"model":"m","messages":[{{"role":"user",)"
                                               R"("content":[{{"type":"input_audio",)"
                                               R"("input_audio":{}}}]}}]}})",
                                               sound)));
  };
  const auto anthropic_sound = [this](std::string_view source) {
    return said(anthropic(fmt::format(
        R"(,"messages":[{{"role":"user","content":[{{"type":"audio","source":{}}}]}}])", source)));
  };
  constexpr std::string_view kDeaf = R"("[audio left out: this model does not hear]")";
  constexpr std::string_view kOdd =
      R"("[audio left out: of a kind that the local model server does not read]")";
  constexpr std::string_view kHeard =
      R"([{"type":"input_audio","input_audio":{"data":"UklGRg==","format":"wav"}}])";
  constexpr std::string_view kOpenAi = R"({"data":"UklGRg==","format":"wav"})";
  constexpr std::string_view kAnthropic =
      R"({"type":"base64","media_type":"audio/wav","data":"UklGRg=="})";
  EXPECT_EQ(openai_sound(kOpenAi), kDeaf);
  EXPECT_EQ(anthropic_sound(kAnthropic), kDeaf);
  options_.sound = true;
  EXPECT_EQ(openai_sound(kOpenAi), kHeard);
  EXPECT_EQ(anthropic_sound(kAnthropic), kHeard);
  EXPECT_EQ(openai_sound(R"({"data":"file:///etc/passwd","format":"wav"})"), kOdd);
  EXPECT_EQ(openai_sound(R"({"data":"https://x.example/a.wav","format":"wav"})"), kOdd);
  EXPECT_EQ(openai_sound(R"({"data":"UklGRg==","format":"midi"})"), kOdd);
  EXPECT_EQ(openai_sound(R"({"data":["UklGRg=="],"format":"wav"})"), kOdd);
  EXPECT_EQ(openai_sound("{}"), kOdd);
  EXPECT_EQ(anthropic_sound(R"({"type":"url","url":"https://x.example/a.wav"})"), kOdd);
}

}  // namespace
}  // namespace nl::dialect
