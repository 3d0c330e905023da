#include "gateway/answer_bound.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace nl::gateway {
namespace {

using chat::BlockKind;
using chat::DeltaKind;
using chat::Event;
using chat::EventKind;
using chat::StopReason;
using dialect::DialectId;

constexpr DialectId kDialects[] = {DialectId::anthropic, DialectId::openai_chat, DialectId::ollama};

struct Seen final : dialect::EventSink {
  void on_event(const Event& event) override {
    kinds.push_back(event.kind);
    if (event.kind == EventKind::finish) {
      stop = event.stop;
      output = event.usage.output.value_or(-1);
    }
  }
  std::vector<EventKind> kinds;
  StopReason stop = StopReason::none;
  std::int64_t output = -1;
};

Event of_kind(EventKind kind, BlockKind block = BlockKind::text, std::uint32_t index = 0) {
  Event event;
  event.kind = kind;
  event.block = block;
  event.index = index;
  return event;
}

Event piece(std::string_view text, BlockKind block = BlockKind::text) {
  Event event = of_kind(EventKind::delta, block);
  event.text.escaped = text;
  event.delta = block == BlockKind::tool       ? DeltaKind::arguments
                : block == BlockKind::thinking ? DeltaKind::thinking
                                               : DeltaKind::text;
  return event;
}

AnswerLimits limits(std::optional<std::int64_t> tokens, std::int64_t bytes) {
  AnswerLimits made;
  made.max_tokens = tokens;
  made.bytes_max = bytes;
  return made;
}

void feed(AnswerBound& bound, const Event& event, int times = 1) {
  for (int i = 0; i < times && !bound.stopped(); ++i) {
    bound.on_event(event);
    bound.end_if_full();
  }
}

TEST(AnswerBound, EndsAtTheByteLimitWithTheBlockClosed) {
  Seen seen;
  AnswerBound bound(limits(std::nullopt, 100), seen);
  feed(bound, of_kind(EventKind::start));
  feed(bound, of_kind(EventKind::block_start));
  feed(bound, piece("0123456789"), 1000);
  ASSERT_TRUE(bound.stopped());
  EXPECT_EQ(seen.stop, StopReason::max_tokens);
  EXPECT_EQ(seen.output, 22);
  // Two events and nine pieces of eleven bytes.
  ASSERT_EQ(seen.kinds.size(), 13u);
  EXPECT_EQ(seen.kinds[11], EventKind::block_stop);
  bound.on_event(piece("more"));
  EXPECT_EQ(seen.kinds.size(), 13u) << "nothing comes after the end";
}

TEST(AnswerBound, AnAnswerThatKeepsItsTokensIsNeverCut) {
  // As many pieces as tokens, of long words; few pieces that hold many tokens each; a token whose
  // bytes come one by one.
  const std::string words(9 * 50, 'w');
  const struct {
    std::string piece;
    int pieces;
  } cases[] = {{"wordwordword", 1000}, {words, 20}, {"w", 4000}, {"", 100'000}};
  for (const auto& one : cases) {
    Seen seen;
    AnswerBound bound(limits(1000, 1 << 20), seen);
    feed(bound, of_kind(EventKind::block_start));
    feed(bound, piece(one.piece), one.pieces);
    feed(bound, of_kind(EventKind::block_stop));
    Event finish = of_kind(EventKind::finish);
    finish.stop = StopReason::end_turn;
    feed(bound, finish);
    EXPECT_FALSE(bound.stopped()) << one.pieces;
    EXPECT_EQ(seen.stop, StopReason::end_turn);
  }
}

TEST(AnswerBound, EndsSoonAfterTheTokensThatWereAskedFor) {
  Seen seen;
  AnswerBound bound(limits(1000, 1 << 20), seen);
  feed(bound, piece("words "), 100'000);
  EXPECT_TRUE(bound.stopped());
  EXPECT_LE(seen.kinds.size(), 1120u);

  Seen large;
  AnswerBound few(limits(1000, 64 << 20), large);
  const std::string page(4096, 'p');
  feed(few, piece(page), 100'000);
  EXPECT_LE(large.kinds.size(), 22u);
}

TEST(AnswerBound, WhatOnlyTheVendorReadsIsNoToken) {
  Seen seen;
  AnswerBound bound(limits(10, 1 << 20), seen);
  const std::string results(200'000, 'e');
  Event opaque = piece(results);
  opaque.delta = DeltaKind::opaque;
  feed(bound, opaque, 3);
  opaque.delta = DeltaKind::signature;
  feed(bound, opaque);
  EXPECT_FALSE(bound.stopped());
}

TEST(AnswerBound, PiecesThatCarryNothingDoNotComeForEver) {
  Seen seen;
  AnswerBound bound(limits(std::nullopt, 1000), seen);
  feed(bound, of_kind(EventKind::usage), 5000);
  EXPECT_TRUE(bound.stopped());
  Seen alive;
  AnswerBound pinged(limits(std::nullopt, 1000), alive);
  feed(pinged, of_kind(EventKind::ping), 5000);
  EXPECT_FALSE(pinged.stopped());
}

TEST(AnswerBound, AnAnswerThatEndedIsNotEndedAgain) {
  Seen seen;
  AnswerBound bound(limits(std::nullopt, 10), seen);
  bound.on_event(piece("more than ten bytes in the last frame"));
  bound.on_event(of_kind(EventKind::finish));
  bound.end_if_full();
  EXPECT_FALSE(bound.stopped());
}

TEST(AnswerBound, WhatWasCutSaysSo) {
  Seen seen;
  AnswerBound bound(limits(std::nullopt, 1000), seen);
  bound.say_cut();
  Event finish = of_kind(EventKind::finish);
  finish.stop = StopReason::end_turn;
  bound.on_event(finish);
  EXPECT_TRUE(bound.stopped());
  EXPECT_EQ(seen.stop, StopReason::max_tokens);
}

// What was passed on as it came and the closing bytes are one good answer together.
TEST(AnswerBound, ClosesWhatWasPassedThrough) {
  for (const DialectId id : kDialects) {
    const dialect::Dialect& spoken = dialect::dialect(id);
    for (const BlockKind kind : {BlockKind::text, BlockKind::thinking, BlockKind::tool}) {
      dialect::AnswerContext context;
      context.model = "m";
      context.id = "id_1";
      const auto upstream = spoken.make_writer(context);
      std::string bytes;
      Seen seen;
      AnswerBound bound(limits(std::nullopt, 100), seen);
      const auto say = [&](const Event& event) {
        upstream->event(event, bytes);
        bound.on_event(event);
      };
      say(of_kind(EventKind::start));
      say(of_kind(EventKind::block_start));
      say(piece("first"));
      say(of_kind(EventKind::block_stop));
      Event block = of_kind(EventKind::block_start, kind, 1);
      block.id.escaped = "call_1";
      block.name.escaped = "Bash";
      say(block);
      const std::string rest(200, '7');
      Event last = piece(rest, kind);
      last.index = 1;
      say(last);
      bound.end_if_full();
      ASSERT_TRUE(bound.stopped());
      bytes += bound.closing(spoken, context);

      const auto reader = spoken.make_reader();
      dialect::Framer framer(spoken.framing());
      Seen again;
      ASSERT_TRUE(framer.feed(bytes));
      while (const auto frame = framer.next()) {
        const auto read = reader->frame(*frame, again);
        ASSERT_TRUE(read) << read.error().message << "\n" << bytes;
      }
      EXPECT_TRUE(reader->finished()) << bytes;
      EXPECT_EQ(again.stop, StopReason::max_tokens) << bytes;
      EXPECT_EQ(again.output > 0 || id == DialectId::openai_chat, true) << bytes;
    }
  }
}

}  // namespace
}  // namespace nl::gateway
