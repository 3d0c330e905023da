#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>

#include "dialect/conversation_dump.h"
#include "dialect/openai_chat.h"
#include "dialect/stream_outcome.h"

namespace nl::dialect {
namespace {

using chat::BlockKind;
using chat::DeltaKind;
using chat::Event;
using chat::EventKind;
using chat::StopReason;

Event start() {
  Event event;
  event.kind = EventKind::start;
  event.id = {"upstream_id"};
  event.name = {"upstream-model"};
  return event;
}
Event open(BlockKind kind, std::uint32_t index) {
  Event event;
  event.kind = EventKind::block_start;
  event.block = kind;
  event.index = index;
  event.id = {"call_1"};
  event.name = {"f"};
  return event;
}
Event delta(DeltaKind kind, std::string_view text) {
  Event event;
  event.kind = EventKind::delta;
  event.delta = kind;
  event.text = {text};
  return event;
}
Event close(BlockKind kind) {
  Event event;
  event.kind = EventKind::block_stop;
  event.block = kind;
  return event;
}
Event finish(StopReason stop) {
  Event event;
  event.kind = EventKind::finish;
  event.stop = stop;
  event.usage.input = 100;
  event.usage.cache_read = 900;
  event.usage.output = 25;
  event.usage.reasoning = 7;
  return event;
}
std::string chunk(std::string_view rest) {
  return fmt::format(
      "data: {{\"id\":\"our_id\",\"object\":\"chat.completion.chunk\",\"created\":17,"
      "\"model\":\"asked\",{}}}\n\n",
      rest);
}
std::string with_delta(std::string_view members) {
  return chunk(fmt::format("\"choices\":[{{\"index\":0,\"delta\":{{{}}},\"finish_reason\":null}}]",
                           members));
}

const std::string kRole = with_delta(R"("role":"assistant","content":"")");

class OpenAiChatWriter : public testing::Test {
 protected:
  void SetUp() override { make(); }
  void make() {
    AnswerContext context;
    context.model = "asked";
    context.id = "our_id";
    context.created = 17;
    context.include_usage = include_usage_;
    writer_ = OpenAiChat().make_writer(std::move(context));
    out_.clear();
  }
  std::string write(const std::vector<Event>& events) {
    out_.clear();
    for (const Event& event : events) writer_->event(event, out_);
    return out_;
  }

  bool include_usage_ = false;
  std::unique_ptr<Writer> writer_;
  std::string out_;
};

TEST_F(OpenAiChatWriter, OpensWithTheRoleUnderOurNames) {
  EXPECT_EQ(write({start()}), kRole);
}

TEST_F(OpenAiChatWriter, TextAndThinkingAreDeltas) {
  write({start()});
  EXPECT_EQ(write({open(BlockKind::thinking, 0), delta(DeltaKind::thinking, "hm"),
                   delta(DeltaKind::signature, "s"), close(BlockKind::thinking),
                   open(BlockKind::text, 1), delta(DeltaKind::text, R"(a\n)")}),
            with_delta(R"("reasoning_content":"hm")") + with_delta(R"("content":"a\n")"));
}

TEST_F(OpenAiChatWriter, CallsAreNumberedByThemselves) {
  write({start(), open(BlockKind::text, 0), close(BlockKind::text)});
  EXPECT_EQ(write({open(BlockKind::tool, 1), delta(DeltaKind::arguments, R"({\"a\":1})"),
                   close(BlockKind::tool), open(BlockKind::tool, 2), close(BlockKind::tool)}),
            with_delta(R"("tool_calls":[{"index":0,"id":"call_1","type":"function",)"
                       R"("function":{"name":"f","arguments":""}}])") +
                with_delta(R"("tool_calls":[{"index":0,"function":{"arguments":"{\"a\":1}"}}])") +
                with_delta(R"("tool_calls":[{"index":1,"id":"call_1","type":"function",)"
                           R"("function":{"name":"f","arguments":""}}])") +
                with_delta(R"("tool_calls":[{"index":1,"function":{"arguments":"{}"}}])"));
}

TEST_F(OpenAiChatWriter, EndsWithReasonUsageAndDone) {
  include_usage_ = true;
  make();
  write({start()});
  EXPECT_EQ(write({finish(StopReason::tool_use)}),
            chunk(R"("choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}])") +
                chunk(R"("choices":[],"usage":{"prompt_tokens":1000,"completion_tokens":25,)"
                      R"("total_tokens":1025,"prompt_tokens_details":{"cached_tokens":900},)"
                      R"("completion_tokens_details":{"reasoning_tokens":7}})") +
                "data: [DONE]\n\n");
}

TEST_F(OpenAiChatWriter, UsageIsWrittenOnlyWhereItWasAskedFor) {
  write({start()});
  EXPECT_EQ(write({finish(StopReason::end_turn)}).find("usage"), std::string::npos);
}

TEST_F(OpenAiChatWriter, EveryStopReasonHasAWord) {
  const std::pair<StopReason, std::string_view> kWords[] = {
      {StopReason::end_turn, "stop"},          {StopReason::tool_use, "tool_calls"},
      {StopReason::max_tokens, "length"},      {StopReason::stop_sequence, "stop"},
      {StopReason::refusal, "content_filter"}, {StopReason::pause, "stop"}};
  for (const auto& [stop, word] : kWords) {
    make();
    EXPECT_NE(write({finish(stop)}).find(fmt::format("\"finish_reason\":\"{}\"", word)),
              std::string::npos);
  }
}

TEST_F(OpenAiChatWriter, FillerOpensTheAnswerOnce) {
  writer_->filler(out_);
  EXPECT_EQ(out_, kRole + with_delta(""));
  EXPECT_EQ(write({start()}), "");
  out_.clear();
  writer_->filler(out_);
  EXPECT_EQ(out_, with_delta(""));
}

TEST_F(OpenAiChatWriter, AnErrorNeverLooksLikeAnEnd) {
  write({start(), open(BlockKind::text, 0), delta(DeltaKind::text, "half")});
  out_.clear();
  writer_->error({ErrorCode::truncated, "cut \"off\"", 0}, out_);
  EXPECT_EQ(out_,
            "data: {\"error\":{\"message\":\"cut \\\"off\\\"\",\"type\":\"server_error\","
            "\"param\":null,\"code\":\"server_error\"}}\n\n");
  const StreamOutcome read(OpenAiChat(), kRole + with_delta(R"("content":"half")") + out_);
  EXPECT_FALSE(read.finished);
  EXPECT_TRUE(read.lines().back().starts_with("error server_error"));
}

TEST_F(OpenAiChatWriter, FoldsAWholeAnswer) {
  for (const Event& event :
       {start(), open(BlockKind::thinking, 0), delta(DeltaKind::thinking, "hm"),
        close(BlockKind::thinking), open(BlockKind::text, 1), delta(DeltaKind::text, "H"),
        delta(DeltaKind::text, "i"), close(BlockKind::text), open(BlockKind::tool, 2),
        delta(DeltaKind::arguments, "{"), delta(DeltaKind::arguments, "}"), close(BlockKind::tool),
        finish(StopReason::tool_use)}) {
    writer_->fold(event);
  }
  EXPECT_EQ(writer_->whole(),
            R"({"id":"our_id","object":"chat.completion","created":17,"model":"asked","choices":)"
            R"([{"index":0,"message":{"role":"assistant","content":"Hi","reasoning_content":"hm",)"
            R"("refusal":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":)"
            R"("f","arguments":"{}"}}]},"logprobs":null,"finish_reason":"tool_calls"}],"usage":)"
            R"({"prompt_tokens":1000,"completion_tokens":25,"total_tokens":1025,)"
            R"("prompt_tokens_details":{"cached_tokens":900},"completion_tokens_details":)"
            R"({"reasoning_tokens":7}}})");
}

TEST_F(OpenAiChatWriter, NamesAreEscaped) {
  AnswerContext context;
  context.model = "a\"b";
  context.id = "i\\d";
  const auto writer = OpenAiChat().make_writer(std::move(context));
  std::string out;
  writer->event(start(), out);
  EXPECT_NE(out.find(R"("id":"i\\d")"), std::string::npos) << out;
  EXPECT_NE(out.find(R"("model":"a\"b")"), std::string::npos) << out;
}

}  // namespace
}  // namespace nl::dialect
