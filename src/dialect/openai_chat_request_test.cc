#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>

#include "dialect/conversation_dump.h"
#include "dialect/openai_chat.h"

namespace nl::dialect {
namespace {

class OpenAiChatRequest : public testing::Test {
 protected:
  Result<chat::Request> decode(std::string body) {
    body_ = std::move(body);
    if (auto parsed = document_.parse(body_); !parsed) {
      return std::unexpected(std::move(parsed.error()));
    }
    return dialect_.decode_request(document_);
  }
  // The dump of a body with `messages`, without its first line.
  std::string messages(const std::string& array) {
    const auto request = decode(R"({"model":"m","messages":)" + array + "}");
    if (!request) return request.error().message;
    std::string text = dump(*request);
    return text.substr(text.find('\n') + 1);
  }
  // A request with `members` beside a model and one message.
  chat::Request with(const std::string& members) {
    auto request =
        decode(R"({"model":"m","messages":[{"role":"user","content":"x"}],)" + members + "}");
    EXPECT_TRUE(request) << (request ? "" : request.error().message);
    return request ? std::move(*request) : chat::Request();
  }
  std::string refusal(const std::string& body) {
    const auto request = decode(body);
    EXPECT_FALSE(request) << body;
    if (request) return "";
    EXPECT_EQ(request.error().code, ErrorCode::bad_request);
    EXPECT_EQ(request.error().status, 400);
    return request.error().message;
  }
  std::string refused_message(const std::string& message) {
    return refusal(R"({"model":"m","messages":[{"role":"user","content":"x"},)" + message + "]}");
  }
  std::string refused_member(const std::string& members) {
    return refusal(R"({"model":"m","messages":[{"role":"user","content":"x"}],)" + members + "}");
  }

  OpenAiChat dialect_;
  Document document_;
  std::string body_;
};

TEST_F(OpenAiChatRequest, LeadingSystemMessagesAreThePromptLaterOnesStayInPlace) {
  EXPECT_EQ(messages(R"([{"role":"system","content":"a"},{"role":"developer","content":
      [{"type":"text","text":"b"}]},{"role":"user","content":"hi"},{"role":"system","content":"c"},
      {"role":"user","content":[{"type":"text","text":"go"}],"name":"bob"}])"),
            "system: text \"a\"\nsystem: text \"b\"\nuser:\n  text \"hi\"\nsystem:\n  text \"c\"\n"
            "user:\n  text \"go\"\n");
}

TEST_F(OpenAiChatRequest, ToolMessagesAreGatheredIntoOneTurn) {
  const std::string text = messages(R"([{"role":"user","content":"x"},
      {"role":"assistant","content":null,"tool_calls":[
        {"id":"a","type":"function","function":{"name":"f","arguments":"{\"p\":1}"}},
        {"id":"b","type":"function","function":{"name":"g","arguments":""}}]},
      {"role":"tool","tool_call_id":"b","content":[{"type":"text","text":"B"}]},
      {"role":"tool","tool_call_id":"a","content":"A"},
      {"role":"user","content":"more"}])");
  const auto request = dialect_.decode_request(document_);
  ASSERT_TRUE(request);
  ASSERT_EQ(request->messages.size(), 4U) << text;
  EXPECT_EQ(request->messages[2].content.size(), 2U);
  const auto& call = std::get<chat::ToolUse>(request->messages[1].content[0]);
  EXPECT_EQ(call.input_text.escaped, R"({\"p\":1})");
  EXPECT_TRUE(call.input.empty());
  EXPECT_EQ(std::get<chat::ToolUse>(request->messages[1].content[1]).input.json, "{}");
}

TEST_F(OpenAiChatRequest, OlderFunctionMessagesMeetTheirCall) {
  messages(R"([{"role":"user","content":"x"},{"role":"assistant","content":null,
      "function_call":{"name":"f","arguments":"{}"}},
      {"role":"function","name":"f","content":"A"}])");
  const auto request = dialect_.decode_request(document_);
  ASSERT_TRUE(request);
  EXPECT_EQ(std::get<chat::ToolUse>(request->messages[1].content[0]).id.escaped,
            std::get<chat::ToolResult>(request->messages[2].content[0]).tool_use_id.escaped);
}

TEST_F(OpenAiChatRequest, ImagesComeByDataAndByAddress) {
  EXPECT_EQ(messages(R"([{"role":"user","content":[
      {"type":"image_url","image_url":{"url":"data:image\/png;base64,iVBO\/w==","detail":"low"}},
      {"type":"image_url","image_url":"https://x/y.png"}]}])"),
            "user:\n  image image/png base64 \"iVBO/w==\" detail \"low\"\n"
            "  image url \"https://x/y.png\"\n");
}

TEST_F(OpenAiChatRequest, PartsOfThisVendorAloneAreNamed) {
  const auto only = [&](const std::string& part) {
    messages(R"([{"role":"user","content":[)" + part + "]}]");
    const auto request = dialect_.decode_request(document_);
    return request ? request->only_this_dialect : request.error().message;
  };
  EXPECT_EQ(only(R"({"type":"input_audio","input_audio":{}})"), "input_audio");
  EXPECT_EQ(only(R"({"type":"file","file":{"file_id":"f"}})"), "file");
  EXPECT_EQ(only(R"({"type":"text","text":"x"})"), "");
}

TEST_F(OpenAiChatRequest, FieldsWithoutAnEquivalentAreNamed) {
  EXPECT_EQ(with(R"("n":2)").only_this_dialect, "n");
  EXPECT_EQ(with(R"("n":1)").only_this_dialect, "");
  EXPECT_EQ(with(R"("audio":{"voice":"v"})").only_this_dialect, "audio");
  EXPECT_EQ(with(R"("modalities":["text","audio"])").only_this_dialect, "modalities");
  EXPECT_EQ(with(R"("modalities":["text"])").only_this_dialect, "");
  EXPECT_EQ(with(R"("prediction":{"type":"content"})").only_this_dialect, "prediction");
  EXPECT_EQ(with(R"("logprobs":true)").only_this_dialect, "logprobs");
  EXPECT_EQ(with(R"("seed":1,"store":false,"service_tier":"auto")").only_this_dialect, "");
}

TEST_F(OpenAiChatRequest, ReadsToolsAndChoices) {
  const auto request = with(R"("tools":[{"type":"function","function":{"name":"f","description":"d",
      "parameters":{"type":"object"},"strict":true}},{"type":"web_search"}],
      "tool_choice":{"type":"function","function":{"name":"f"}},"parallel_tool_calls":false)");
  ASSERT_EQ(request.tools.size(), 2U);
  EXPECT_EQ(request.tools[0].schema.json, R"({"type":"object"})");
  EXPECT_EQ(request.tools[0].strict.json, "true");
  EXPECT_EQ(request.tools[1].kind, chat::ToolKind::vendor);
  EXPECT_EQ(request.tool_choice, chat::ToolChoice::named);
  EXPECT_EQ(request.tool_choice_name.escaped, "f");
  EXPECT_EQ(request.parallel_tools, false);
  EXPECT_EQ(with(R"("tool_choice":"required")").tool_choice, chat::ToolChoice::any);
  EXPECT_EQ(with(R"("tool_choice":"none")").tool_choice, chat::ToolChoice::none);
  EXPECT_EQ(with(R"("tool_choice":null)").tool_choice, chat::ToolChoice::unset);
  EXPECT_EQ(
      with(R"("functions":[{"name":"g"}],"function_call":{"name":"g"})").tool_choice_name.escaped,
      "g");
}

TEST_F(OpenAiChatRequest, ReadsLimitsSamplingAndFormat) {
  const auto request = with(R"("max_tokens":5,"max_completion_tokens":7,"temperature":0.5,
      "top_p":1,"stop":["a","b"],"stream":true,"stream_options":{"include_usage":true},"user":"u",
      "response_format":{"type":"json_schema","json_schema":
      {"name":"n","schema":{},"strict":true}})");
  EXPECT_EQ(request.max_tokens, 7);
  EXPECT_EQ(request.sampling.temperature, 0.5);
  EXPECT_EQ(request.sampling.stop.size(), 2U);
  EXPECT_TRUE(request.stream);
  EXPECT_TRUE(request.include_usage);
  EXPECT_EQ(request.user.escaped, "u");
  EXPECT_EQ(request.format.kind, chat::Format::json_schema);
  EXPECT_EQ(request.format.schema.json, "{}");
  EXPECT_EQ(with(R"("stop":"x","max_tokens":9)").max_tokens, 9);
  EXPECT_EQ(with(R"("response_format":{"type":"json_object"})").format.kind,
            chat::Format::json_object);
  EXPECT_EQ(with(R"("response_format":{"type":"grammar"})").only_this_dialect, "response_format");
}

TEST_F(OpenAiChatRequest, ReadsReasoningInBothSpellings) {
  EXPECT_EQ(with(R"("reasoning_effort":"high")").reasoning.effort, chat::Effort::high);
  EXPECT_FALSE(with(R"("reasoning_effort":"none")").reasoning.enabled);
  const auto budget = with(R"("reasoning":{"max_tokens":2000})").reasoning;
  EXPECT_TRUE(budget.enabled);
  EXPECT_EQ(budget.budget_tokens, 2000);
  EXPECT_TRUE(with(R"("reasoning":{"enabled":true})").reasoning.enabled);
  EXPECT_FALSE(with(R"("reasoning":{"exclude":true})").reasoning.enabled);
}

TEST_F(OpenAiChatRequest, ErrorsNameThePath) {
  EXPECT_EQ(refusal("[]"), "expected an object");
  EXPECT_EQ(refusal("{}"), "model: field required");
  EXPECT_EQ(refusal(R"({"model":3,"messages":[]})"), "model: expected a model name");
  EXPECT_EQ(refusal(R"({"model":"m"})"), "messages: field required");
  EXPECT_EQ(refusal(R"({"model":"m","messages":{}})"), "messages: expected an array");
  EXPECT_EQ(refusal(R"({"model":"m","messages":[]})"), "messages: expected at least one message");
  EXPECT_EQ(refused_message("3"), "messages[1]: expected an object");
  EXPECT_EQ(refused_message(R"({"content":"x"})"), "messages[1].role: field required");
  EXPECT_EQ(refused_message(R"({"role":"user"})"), "messages[1].content: field required");
  EXPECT_EQ(refused_message(R"({"role":"user","content":3})"),
            "messages[1].content: expected a string or an array");
  EXPECT_EQ(refused_message(R"({"role":"user","content":[{"type":"text","text":3}]})"),
            "messages[1].content[0].text: expected a string");
  EXPECT_EQ(refused_message(R"({"role":"user","content":[{"type":"image_url","image_url":{}}]})"),
            "messages[1].content[0].image_url: expected a URL string");
  EXPECT_EQ(refused_message(R"({"role":"tool","content":"x"})"),
            "messages[1].tool_call_id: field required");
  EXPECT_EQ(refused_message(R"({"role":"assistant","tool_calls":[{"id":"a"}]})"),
            "messages[1].tool_calls[0].function: field required");
  EXPECT_EQ(refused_message(R"({"role":"assistant","tool_calls":[{"id":"a",)"
                            R"("function":{"name":"f","arguments":3}}]})"),
            "messages[1].tool_calls[0].function.arguments: expected a string");
}

TEST_F(OpenAiChatRequest, FieldsOfTheWrongTypeAreRefused) {
  EXPECT_EQ(refused_member(R"("temperature":"x")"), "temperature: expected a number");
  EXPECT_EQ(refused_member(R"("max_tokens":1.5)"), "max_tokens: expected a whole number");
  EXPECT_EQ(refused_member(R"("stop":3)"), "stop: expected a string or an array");
  EXPECT_EQ(refused_member(R"("stream":"yes")"), "stream: expected a boolean");
  EXPECT_EQ(refused_member(R"("tools":{})"), "tools: expected an array");
  EXPECT_EQ(refused_member(R"("tools":[{"type":"function"}])"),
            "tools[0].function: field required");
  EXPECT_EQ(refused_member(R"("tool_choice":"maybe")"),
            "tool_choice: expected \"auto\", \"none\" or \"required\"");
  EXPECT_EQ(refused_member(R"("response_format":{"type":"json_schema"})"),
            "response_format.json_schema: field required");
}

TEST_F(OpenAiChatRequest, NullMeansUnsetEverywhere) {
  const auto request = with(
      R"("tools":null,"tool_choice":null,"max_tokens":null,"temperature":null,"stop":null,
      "response_format":null,"reasoning_effort":null,"reasoning":null,"stream":null,
      "stream_options":null,"user":null,"n":null,"logprobs":null,"modalities":null,"audio":null)");
  EXPECT_FALSE(request.max_tokens.has_value());
  EXPECT_TRUE(request.only_this_dialect.empty());
}

}  // namespace
}  // namespace nl::dialect
