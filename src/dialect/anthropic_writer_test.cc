#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>

#include "dialect/anthropic.h"
#include "dialect/conversation_dump.h"

namespace nl::dialect {
namespace {

using chat::BlockKind;
using chat::DeltaKind;
using chat::Event;
using chat::EventKind;
using chat::StopReason;

class AnthropicWriter : public testing::Test {
 protected:
  AnthropicWriter() {
    AnswerContext context;
    context.model = "asked";
    context.id = "msg_nl";
    context.input_estimate = 77;
    writer_ = Anthropic().make_writer(context);
  }
  void put(const Event& event) {
    writer_->event(event, out_);
    writer_->fold(event);
  }
  void block(BlockKind kind) {
    Event event;
    event.kind = EventKind::block_start;
    event.block = kind;
    event.id = {"call.1"};
    event.name = {"f"};
    put(event);
  }
  void delta(DeltaKind kind, const char* text) {
    Event event;
    event.kind = EventKind::delta;
    event.delta = kind;
    event.text = {text};
    put(event);
  }
  void stop_block() {
    Event event;
    event.kind = EventKind::block_stop;
    put(event);
  }
  void finish(StopReason reason) {
    Event event;
    event.kind = EventKind::finish;
    event.stop = reason;
    put(event);
  }
  // What the dialect's own reader makes of the bytes written so far.
  std::string read_back() const {
    SseFramer framer;
    EventLines lines;
    const auto reader = Anthropic().make_reader();
    EXPECT_TRUE(framer.feed(out_));
    while (const auto frame = framer.next()) {
      const auto done = reader->frame(*frame, lines);
      EXPECT_TRUE(done) << done.error().message << "\n" << out_;
    }
    return lines.text();
  }

  std::unique_ptr<Writer> writer_;
  std::string out_;
};

constexpr std::string_view kOpened =
    "start \"msg_nl\" \"asked\" input=77 cache_read=0 cache_write=0 output=1\n";

TEST_F(AnthropicWriter, OpensOnceWithOurNameAndEstimate) {
  writer_->filler(out_);
  writer_->filler(out_);
  Event start;
  start.kind = EventKind::start;
  start.id = {"theirs"};
  put(start);
  EXPECT_EQ(read_back(), std::string(kOpened) + "ping\nping\n");
}

TEST_F(AnthropicWriter, CallsItToolUseWhenACallIsThere) {
  block(BlockKind::tool);
  stop_block();
  finish(StopReason::end_turn);
  EXPECT_NE(read_back().find("delta 0 arguments \"{}\""), std::string::npos);
  EXPECT_NE(read_back().find("finish tool_use"), std::string::npos);
  EXPECT_EQ(out_.find("call.1"), std::string::npos) << "the vendor refuses this id";
  EXPECT_NE(writer_->whole().find(R"("stop_reason":"tool_use")"), std::string::npos);
}

TEST_F(AnthropicWriter, CallsItAnEndWhenNoCallIsThere) {
  block(BlockKind::text);
  delta(DeltaKind::text, "x");
  stop_block();
  finish(StopReason::tool_use);
  EXPECT_NE(read_back().find("finish end_turn"), std::string::npos);
}

TEST_F(AnthropicWriter, NumbersBlocksWithoutGaps) {
  block(BlockKind::opaque);
  delta(DeltaKind::opaque, "");
  stop_block();
  block(BlockKind::text);  // stays empty
  stop_block();
  block(BlockKind::text);
  delta(DeltaKind::text, "x");
  stop_block();
  finish(StopReason::end_turn);
  EXPECT_NE(read_back().find("block_start 0 text\ndelta 0 text \"x\"\nblock_stop 0\nusage"),
            std::string::npos)
      << read_back();
}

TEST_F(AnthropicWriter, SignsThinkingThatHasNoSignature) {
  block(BlockKind::thinking);
  delta(DeltaKind::thinking, "hm");
  stop_block();
  block(BlockKind::thinking);
  delta(DeltaKind::thinking, "hm");
  delta(DeltaKind::signature, "theirs");
  stop_block();
  finish(StopReason::end_turn);
  const std::string events = read_back();
  EXPECT_NE(events.find("delta 0 signature \"nl1."), std::string::npos) << events;
  EXPECT_NE(events.find("delta 1 signature \"theirs\"\nblock_stop 1"), std::string::npos) << events;
  EXPECT_NE(writer_->whole().find(R"("signature":"nl1.)"), std::string::npos);
}

TEST_F(AnthropicWriter, SaysNothingAfterAnError) {
  block(BlockKind::text);
  delta(DeltaKind::text, "x");
  writer_->error({ErrorCode::truncated, "cut \"here\"", 529}, out_);
  const std::size_t size = out_.size();
  finish(StopReason::end_turn);
  writer_->filler(out_);
  writer_->error({ErrorCode::truncated, "again", 500}, out_);
  EXPECT_EQ(out_.size(), size);
  EXPECT_TRUE(read_back().ends_with("error overloaded_error status=529 cut \"here\"\n"));
}

TEST_F(AnthropicWriter, NeverEndsAFailureCleanly) {
  block(BlockKind::text);
  delta(DeltaKind::text, "x");
  finish(StopReason::error);
  EXPECT_EQ(out_.find("message_stop"), std::string::npos);
  EXPECT_NE(read_back().find("error api_error"), std::string::npos);
}

TEST_F(AnthropicWriter, EstimatesOutputThatNobodyCounted) {
  block(BlockKind::text);
  delta(DeltaKind::text, "123456789012345678901234567890123456");
  stop_block();
  finish(StopReason::end_turn);
  EXPECT_NE(read_back().find("finish end_turn input=77 cache_read=0 cache_write=0 output=10"),
            std::string::npos)
      << read_back();
}

TEST(AnthropicError, NamesTheVendorsTypeForEveryStatus) {
  const auto type = [](int status) {
    Document document;
    const std::string body = Anthropic().error_body({ErrorCode::status, "m\"", status}, "req_1");
    EXPECT_TRUE(document.parse(body)) << body;
    EXPECT_TRUE(document.root()["request_id"].equals("req_1"));
    EXPECT_TRUE(document.root()["error"]["message"].equals("m\""));
    return document.root()["error"]["type"].text().utf8();
  };
  EXPECT_EQ(type(400), "invalid_request_error");
  EXPECT_EQ(type(401), "authentication_error");
  EXPECT_EQ(type(402), "billing_error");
  EXPECT_EQ(type(403), "permission_error");
  EXPECT_EQ(type(404), "not_found_error");
  EXPECT_EQ(type(413), "request_too_large");
  EXPECT_EQ(type(418), "invalid_request_error");
  EXPECT_EQ(type(429), "rate_limit_error");
  EXPECT_EQ(type(500), "api_error");
  EXPECT_EQ(type(502), "api_error");
  EXPECT_EQ(type(503), "api_error");
  EXPECT_EQ(type(504), "timeout_error");
  EXPECT_EQ(type(529), "overloaded_error");
  EXPECT_EQ(type(0), "api_error");
}

}  // namespace
}  // namespace nl::dialect
