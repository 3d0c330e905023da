#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "dialect/anthropic.h"

namespace nl::dialect {
namespace {

std::string splice(std::string_view body, const SpliceOptions& options) {
  Document document;
  EXPECT_TRUE(document.parse(body)) << body;
  const std::string out = Anthropic().splice(document, options);
  Document again;
  EXPECT_TRUE(again.parse(out)) << out;
  return out;
}

SpliceOptions to(std::string_view model) {
  SpliceOptions options;
  options.model = model;
  return options;
}

std::string without_marks(std::string_view system) {
  const std::string body = R"({"model":"a","system":)" + std::string(system) + "}";
  const std::string out = splice(body, {"a", ClientMarks::remove, {}});
  return out.substr(22, out.size() - 23);
}

constexpr std::string_view kNote =
    R"({"type":"text","text":"x-anthropic-billing-header: cc_version=1"})";

TEST(AnthropicSplice, ChangesTheModelAlone) {
  EXPECT_EQ(splice(" {\"a\" : [1, 2 ],\n \"model\"\t: \"x\\u0041\" , \"z\":{}}", to("new\"name")),
            " {\"a\" : [1, 2 ],\n \"model\"\t: \"new\\\"name\" , \"z\":{}}");
}

TEST(AnthropicSplice, AddsMembersAtTheEnd) {
  EXPECT_EQ(splice(R"({"model":"x"})", {"y", ClientMarks::keep, R"("provider":{"a":1})"}),
            R"({"model":"y","provider":{"a":1}})");
  EXPECT_EQ(splice("{}", {"y", ClientMarks::keep, R"("a":1)"}), R"({"a":1})");
}

TEST(AnthropicSplice, RemovesTheBillingNoteWhereverItStands) {
  const std::string note(kNote);
  EXPECT_EQ(without_marks("[" + note + "]"), "[]");
  EXPECT_EQ(without_marks("[" + note + R"( , {"type":"text","text":"b"}])"),
            R"([{"type":"text","text":"b"}])");
  EXPECT_EQ(without_marks(R"([{"type":"text","text":"b"} ,)" + note + " ]"),
            R"([{"type":"text","text":"b"} ])");
  EXPECT_EQ(without_marks(R"([1,)" + note + "," + note + "]"), "[1]");
  EXPECT_EQ(without_marks("[" + note + "," + note + "]"), "[]");
  EXPECT_EQ(without_marks("[" + note + ",1," + note + ",2," + note + "]"), "[1,2]");
  EXPECT_EQ(without_marks(R"("x-anthropic text")"), R"("x-anthropic text")");
}

TEST(AnthropicSplice, KeepsTheBillingNoteForItsVendor) {
  const std::string body = R"({"model":"a","system":[)" + std::string(kNote) + "]}";
  EXPECT_EQ(splice(body, to("a")), body);
}

constexpr std::string_view kMinted = R"({"type":"thinking","thinking":"t","signature":"nl1.QQ=="})";
constexpr std::string_view kSigned = R"({"type":"thinking","thinking":"t","signature":"EqQB"})";

std::string body_of(std::string_view messages, std::string_view rest = "") {
  return R"({"model":"a","messages":[)" + std::string(messages) + "]" + std::string(rest) + "}";
}
std::string answer(std::string_view blocks) {
  return R"({"role":"assistant","content":[)" + std::string(blocks) + "]}";
}
constexpr std::string_view kText = R"({"type":"text","text":"x"})";
constexpr std::string_view kCall = R"({"type":"tool_use","id":"1","name":"n","input":{}})";
constexpr std::string_view kResult =
    R"({"role":"user","content":[{"type":"tool_result","tool_use_id":"1"}]})";

TEST(AnthropicSplice, TakesOutThinkingThatAnotherVendorWrote) {
  const std::string text(kText);
  const std::string minted(kMinted);
  const std::string from = body_of(answer(minted + "," + text) + "," + answer(kSigned) + "," +
                                   answer(minted) + "," + answer(text + "," + minted));
  EXPECT_EQ(splice(from, to("a")),
            body_of(answer(text) + "," + answer(kSigned) + "," + answer(text)));
}

TEST(AnthropicSplice, PausesABudgetThatTheVendorWouldRefuse) {
  const std::string loop =
      answer(std::string(kMinted) + "," + std::string(kCall)) + "," + std::string(kResult);
  const std::string rest = R"(,"thinking":{"type":"enabled","budget_tokens":2000},)"
                           R"("context_management":{"edits":[{"type":"clear_thinking_20251015"}]})";
  EXPECT_EQ(splice(body_of(loop, rest), to("a")),
            body_of(answer(kCall) + "," + std::string(kResult),
                    R"(,"thinking":{"type":"disabled"},"context_management":{"edits":[]})"));
}

TEST(AnthropicSplice, LeavesThinkingThatTheVendorTakes) {
  const std::string signed_loop =
      answer(std::string(kSigned) + "," + std::string(kCall)) + "," + std::string(kResult);
  const std::string budget = R"(,"thinking":{"type":"enabled","budget_tokens":2000})";
  EXPECT_EQ(splice(body_of(signed_loop, budget), to("a")), body_of(signed_loop, budget));
  const std::string bare_loop = answer(kCall) + "," + std::string(kResult);
  const std::string adaptive = R"(,"thinking":{"type":"adaptive"})";
  EXPECT_EQ(splice(body_of(bare_loop, adaptive), to("a")), body_of(bare_loop, adaptive));
}

TEST(AnthropicRenamed, ChangesTheOpeningAlone) {
  const std::string data =
      R"({"type":"message_start","message":{"id":"msg_1","model":"m","usage":{"input_tokens":3}}})";
  const std::string raw = "event: message_start\ndata: " + data + "\n\n";
  const SseFrame opening{FrameKind::event, raw, "message_start", data};
  EXPECT_TRUE(Anthropic().opens_answer(opening));
  std::string out;
  Anthropic().append_renamed(opening, {"msg_2", "n"}, out);
  EXPECT_EQ(
      out,
      "event: message_start\ndata: "
      R"({"type":"message_start","message":{"id":"msg_2","model":"n","usage":{"input_tokens":3}}})"
      "\n\n");
  out.clear();
  Anthropic().append_renamed(opening, {"", "n"}, out);
  EXPECT_NE(out.find(R"("id":"msg_1","model":"n")"), std::string::npos);

  const SseFrame delta{FrameKind::event, "event: content_block_delta\ndata: {}\n\n",
                       "content_block_delta", "{}"};
  EXPECT_FALSE(Anthropic().opens_answer(delta));
  out.clear();
  Anthropic().append_renamed(delta, {"msg_2", "n"}, out);
  EXPECT_EQ(out, delta.raw);
}

}  // namespace
TEST(AnthropicSplice, RemovesAllThinkingThatAVendorRefused) {
  SpliceOptions options = to("x");
  options.thinking = SignedThinking::remove;
  const std::string out =
      splice(R"({"model":"x","thinking":{"type":"enabled","budget_tokens":2048},"messages":[)"
             R"({"role":"user","content":"a"},{"role":"assistant","content":[)"
             R"({"type":"thinking","thinking":"t","signature":"abc"},)"
             R"({"type":"redacted_thinking","data":"r"},)"
             R"({"type":"tool_use","id":"c","name":"Bash","input":{}}]},)"
             R"({"role":"user","content":[{"type":"tool_result","tool_use_id":"c"}]}]})",
             options);
  EXPECT_EQ(out, R"({"model":"x","thinking":{"type":"disabled"},"messages":[)"
                 R"({"role":"user","content":"a"},{"role":"assistant","content":[)"
                 R"({"type":"tool_use","id":"c","name":"Bash","input":{}}]},)"
                 R"({"role":"user","content":[{"type":"tool_result","tool_use_id":"c"}]}]})");
}

}  // namespace nl::dialect
