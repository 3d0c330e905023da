#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <variant>

#include "dialect/anthropic.h"
#include "dialect/conversation_dump.h"

namespace nl::dialect {
namespace {

std::string decode(std::string_view body) {
  Document document;
  if (const auto parsed = document.parse(body, DuplicateKeys::refuse_top_level); !parsed) {
    return "refused: " + parsed.error().message;
  }
  const auto request = Anthropic().decode_request(document);
  return request ? dump(*request) : "refused: " + request.error().message;
}

std::string with(std::string_view members) {
  return R"({"model":"m","messages":[{"role":"user","content":"hi"}],)" + std::string(members) +
         "}";
}

std::string with_block(std::string_view block) {
  return R"({"model":"m","messages":[{"role":"user","content":[)" + std::string(block) + "]}]}";
}

TEST(AnthropicRequest, RefusesWrongTypesByTheirPath) {
  const std::pair<std::string, std::string> table[] = {
      {"[]", "expected an object"},
      {"{}", "model: field required"},
      {R"({"model":"m"})", "messages: field required"},
      {R"({"model":7,"messages":[]})", "model: expected a model name"},
      {R"({"model":"","messages":[]})", "model: expected a model name"},
      {R"({"model":"m","messages":[]})", "messages: expected at least one message"},
      {R"({"model":"m","messages":{}})", "messages: expected an array of messages"},
      {R"({"model":"m","messages":[1]})", "messages[0]: expected a message object"},
      {R"({"model":"m","messages":[{"content":"x"}]})", "messages[0].role: field required"},
      {R"({"model":"m","messages":[{"role":"user"}]})", "messages[0].content: field required"},
      {R"({"model":"m","messages":[{"role":"user","content":1}]})",
       "messages[0].content: expected a string or an array of blocks"},
      {with_block("1"), "messages[0].content[0]: expected a content block"},
      {with_block("{}"), "messages[0].content[0].type: field required"},
      {with_block(R"({"type":"text"})"), "messages[0].content[0].text: field required"},
      {with_block(R"({"type":"text","text":1})"), "messages[0].content[0].text: expected a string"},
      {with_block(R"({"type":"image"})"), "messages[0].content[0].source: field required"},
      {with_block(R"({"type":"image","source":{"type":"base64","data":"x"}})"),
       "messages[0].content[0].source.media_type: field required"},
      {with_block(R"({"type":"tool_use","id":"1","name":"n","input":"{}"})"),
       "messages[0].content[0].input: expected an object"},
      {with_block(R"({"type":"tool_result","content":"x"})"),
       "messages[0].content[0].tool_use_id: field required"},
      {with_block(R"({"type":"tool_result","tool_use_id":"1","content":5})"),
       "messages[0].content[0].content: expected a string or an array of blocks"},
      {with_block(R"({"type":"tool_result","tool_use_id":"1","is_error":"no"})"),
       "messages[0].content[0].is_error: expected true or false"},
      {with_block(R"({"type":"thinking","thinking":{}})"),
       "messages[0].content[0].thinking: expected a string"},
      {with(R"("max_tokens":"9")"), "max_tokens: expected a whole number that is not negative"},
      {with(R"("max_tokens":-1)"), "max_tokens: expected a whole number that is not negative"},
      {with(R"("temperature":"hot")"), "temperature: expected a number"},
      {with(R"("stop_sequences":"x")"), "stop_sequences: expected an array of strings"},
      {with(R"("stop_sequences":[1])"), "stop_sequences[0]: expected a string"},
      {with(R"("stream":"yes")"), "stream: expected true or false"},
      {with(R"("system":5)"), "system: expected a string or an array of text blocks"},
      {with(R"("system":[{"type":"text","text":{}}])"), "system[0].text: expected a string"},
      {with(R"("tools":{})"), "tools: expected an array of tools"},
      {with(R"("tools":[{"input_schema":{}}])"), "tools[0].name: field required"},
      {with(R"("tools":[{"name":"n","input_schema":[]}])"),
       "tools[0].input_schema: expected a schema object"},
      {with(R"("tool_choice":"auto")"), "tool_choice: expected an object"},
      {with(R"("tool_choice":{"type":"tool"})"), "tool_choice.name: field required"},
      {with(R"("thinking":true)"), "thinking: expected an object"},
      {with(R"("thinking":{"type":"enabled","budget_tokens":"x"})"),
       "thinking.budget_tokens: expected a whole number that is not negative"},
      {with(R"("output_config":{"effort":3})"), "output_config.effort: expected a string"},
      {with(R"("metadata":{"user_id":3})"), "metadata.user_id: expected a string"},
  };
  for (const auto& [body, message] : table) EXPECT_EQ(decode(body), "refused: " + message) << body;
}

TEST(AnthropicRequest, TakesWhatItDoesNotKnow) {
  const std::string text = decode(R"({"model":"m","novelty":{"a":[1]},"messages":[
      {"role":"narrator","content":"once"},
      {"role":"user","content":[{"type":"hologram","beam":1}],"output_config":{"effort":"low"}}],
      "tools":[{"type":"web_search_20250305","name":"web_search"},
               {"name":"n","defer_loading":true}],
      "tool_choice":{"type":"someday"},"thinking":{"type":"adaptive","display":"omitted"},
      "temperature":null,"stop_sequences":null})");
  EXPECT_EQ(text,
            "Request model \"m\" reasoning\n"
            "system:\n  text \"once\"\n"
            "user:\n  opaque hologram {\"type\":\"hologram\",\"beam\":1}\n"
            "tool: vendor {\"type\":\"web_search_20250305\",\"name\":\"web_search\"}\n"
            "tool: \"n\" \"\" \n");
}

TEST(AnthropicRequest, ReadsNamesThatAreEscaped) {
  EXPECT_EQ(decode(R"({"mod\u0065l":"m","messages":[{"role":"us\u0065r","content":"x"}]})"),
            "Request model \"m\"\nuser:\n  text \"x\"\n");
}

TEST(AnthropicRequest, LeavesOutTheBillingNote) {
  EXPECT_EQ(decode(with(R"("system":[{"type":"text","text":"x-anthropic-billing-header: a=b"},
                                     {"type":"text","text":"Be kind."}])")),
            "Request model \"m\"\nsystem: text \"Be kind.\"\nuser:\n  text \"hi\"\n");
}

TEST(AnthropicRequest, CarriesForeignPartsOfResultsAsText) {
  EXPECT_EQ(decode(with_block(R"({"type":"tool_result","tool_use_id":"1","content":[
                {"type":"tool_reference","tool_name":"Later"}]})")),
            "Request model \"m\"\nuser:\n  tool_result \"1\" | text "
            "\"{\\\"type\\\":\\\"tool_reference\\\",\\\"tool_name\\\":\\\"Later\\\"}\"\n");
}

TEST(AnthropicRequest, NamesWhatNoOtherDialectHas) {
  EXPECT_NE(decode(with(R"("mcp_servers":[{"url":"https://example.com"}])")).find("only_here"),
            std::string::npos);
}

// Requests of real clients, where they lie beside the repository.
class RecordedRequests : public testing::Test {
 protected:
  template <typename Check>
  int each(Check check) {
    int count = 0;
    const std::filesystem::path folder = "../shared/data/captures";
    if (!std::filesystem::is_directory(folder)) return 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      if (entry.path().extension() != ".json") continue;
      std::ifstream file(entry.path(), std::ios::binary);
      const std::string text{std::istreambuf_iterator<char>(file), {}};
      Document document;
      if (!document.parse(text)) continue;
      const Value exchanges = document.root()["exchanges"];
      for (Value each = exchanges.first(); each; each = each.next()) {
        const bool ours = each["path"].text().utf8().find("/messages") != std::string::npos;
        if (!ours || !each["body"].is_object()) continue;
        check(entry.path().string(), std::string(each["body"].raw()));
        ++count;
      }
    }
    return count;
  }
};

TEST_F(RecordedRequests, HaveAStableFormInBothDialects) {
  const int count = each([](const std::string& path, const std::string& body) {
    Document document;
    ASSERT_TRUE(document.parse(body, DuplicateKeys::refuse_top_level)) << path;
    const auto request = Anthropic().decode_request(document);
    ASSERT_TRUE(request) << path << ": " << request.error().message;
    EXPECT_GT(estimate_tokens(*request), 0);
    for (const DialectId id : {DialectId::anthropic, DialectId::openai_chat}) {
      EncodeOptions options;
      options.model = "target";
      options.reasoning = true;
      const auto once = dialect(id).encode_request(*request, options);
      ASSERT_TRUE(once) << path << ": " << once.error().message;
      EXPECT_EQ(once->find("x-anthropic-billing-header"), std::string::npos) << path;
      Document again;
      ASSERT_TRUE(again.parse(*once, DuplicateKeys::refuse_top_level)) << path;
      const auto read = dialect(id).decode_request(again);
      ASSERT_TRUE(read) << path << ": " << read.error().message;
      const auto twice = dialect(id).encode_request(*read, options);
      ASSERT_TRUE(twice) << path;
      EXPECT_EQ(*once, *twice) << path;
    }
  });
  if (count == 0) GTEST_SKIP() << "no shared test data beside this checkout";
}

TEST_F(RecordedRequests, PassThroughWithOneNameChanged) {
  const int count = each([](const std::string& path, const std::string& body) {
    Document document;
    ASSERT_TRUE(document.parse(body)) << path;
    const Value model = document.root()["model"];
    const std::string kept =
        Anthropic().splice(document, {model.text().utf8(), ClientMarks::keep, {}});
    EXPECT_EQ(kept, body) << path;
    const std::string cut = Anthropic().splice(document, {"other", ClientMarks::remove, {}});
    Document again;
    ASSERT_TRUE(again.parse(cut)) << path;
    EXPECT_TRUE(again.root()["model"].equals("other")) << path;
    EXPECT_EQ(cut.find("x-anthropic-billing-header"), std::string::npos) << path;
  });
  if (count == 0) GTEST_SKIP() << "no shared test data beside this checkout";
}

}  // namespace
}  // namespace nl::dialect
