#include "dialect/sse.h"

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace nl::dialect {
namespace {

using std::string_view_literals::operator""sv;

// A frame that outlives the framer's buffer.
struct Kept {
  FrameKind kind;
  std::string raw;
  std::string event;
  std::string data;
  bool operator==(const Kept&) const = default;
};

void PrintTo(const Kept& frame, std::ostream* out) {
  *out << (frame.kind == FrameKind::event ? "event" : "comment") << " raw=" << frame.raw
       << " event=" << frame.event << " data=" << frame.data;
}

Kept keep(const SseFrame& frame) {
  return {frame.kind, std::string(frame.raw), std::string(frame.event), std::string(frame.data)};
}

void take_all(SseFramer& framer, std::vector<Kept>& out) {
  while (const auto frame = framer.next()) out.push_back(keep(*frame));
}

std::vector<Kept> frames(const std::vector<std::string_view>& pieces) {
  SseFramer framer;
  std::vector<Kept> out;
  for (const std::string_view piece : pieces) {
    EXPECT_TRUE(framer.feed(piece));
    take_all(framer, out);
  }
  while (const auto frame = framer.finish()) out.push_back(keep(*frame));
  EXPECT_EQ(framer.pending_bytes(), 0u);
  return out;
}

std::vector<std::string> data_of(std::string_view stream) {
  std::vector<std::string> out;
  for (const Kept& frame : frames({stream})) {
    if (frame.kind == FrameKind::event) out.push_back(frame.data);
  }
  return out;
}

using Data = std::vector<std::string>;

TEST(SseFramer, ReadsAnAnthropicEvent) {
  const std::string_view stream = "event: ping\ndata: {\"type\": \"ping\"}\n\n";
  const auto got = frames({stream});
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0], (Kept{FrameKind::event, std::string(stream), "ping", "{\"type\": \"ping\"}"}));
}

TEST(SseFramer, AcceptsEveryLineEnd) {
  EXPECT_EQ(data_of("data: a\n\ndata: b\n\n"), (Data{"a", "b"}));
  EXPECT_EQ(data_of("data: a\r\n\r\ndata: b\r\n\r\n"), (Data{"a", "b"}));
  EXPECT_EQ(data_of("data: a\r\rdata: b\r\r"), (Data{"a", "b"}));
  EXPECT_EQ(data_of("data: a\r\n\rdata: b\n\r\ndata: c\r\r\ndata: d\n\r"),
            (Data{"a", "b", "c", "d"}));
}

TEST(SseFramer, JoinsDataLines) {
  EXPECT_EQ(data_of("data: a\ndata\ndata:\ndata:  b\n\n"), (Data{"a\n\n\n b"}));
  EXPECT_EQ(data_of("data:a\rdata:b\r\r"), (Data{"a\nb"}));
}

TEST(SseFramer, StripsOneSpaceOnly) {
  EXPECT_EQ(data_of("data:x\n\ndata: x\n\ndata:  x\n\ndata:\tx\n\n"),
            (Data{"x", "x", " x", "\tx"}));
}

TEST(SseFramer, EmptyDataIsAnEvent) {
  EXPECT_EQ(data_of("data\n\ndata:\n\n"), (Data{"", ""}));
}

TEST(SseFramer, IgnoresFieldsItDoesNotKnow) {
  EXPECT_EQ(data_of("id: 7\nretry: 10\nDATA: no\n data: no\ndatax: no\ndata: yes\n\n"),
            (Data{"yes"}));
}

TEST(SseFramer, SkipsFramesWithoutDataOrComment) {
  EXPECT_TRUE(frames({"\n\n\r\n\revent: x\n\nid: 1\n\n"}).empty());
}

TEST(SseFramer, TheLastEventNameWins) {
  const auto got = frames({"event: a\nevent: b\ndata: 1\n\nevent: c\nevent\ndata: 2\n\n"});
  ASSERT_EQ(got.size(), 2u);
  EXPECT_EQ(got[0].event, "b");
  EXPECT_EQ(got[1].event, "");
}

TEST(SseFramer, GivesCommentsTheirOwnKind) {
  const auto got = frames({": OPENROUTER PROCESSING\n\n:\n: x\nevent: y\n\n: z\ndata: d\n\n"});
  ASSERT_EQ(got.size(), 3u);
  EXPECT_EQ(got[0].kind, FrameKind::comment);
  EXPECT_EQ(got[0].raw, ": OPENROUTER PROCESSING\n\n");
  EXPECT_EQ(got[1].kind, FrameKind::comment);
  EXPECT_EQ(got[2].kind, FrameKind::event);
  EXPECT_EQ(got[2].data, "d");
}

TEST(SseFramer, DropsAByteOrderMarkAtTheStartOnly) {
  const auto got =
      frames({"\xef\xbb\xbf"
              "data: a\n\n\xef\xbb\xbf"
              "data: b\n\n"});
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].raw, "data: a\n\n");
  EXPECT_TRUE(frames({"\xef\xbb"}).empty());
}

TEST(SseFramer, FinishGivesTheFrameWithoutABlankLine) {
  EXPECT_EQ(data_of("data: a\n\ndata: b\n"), (Data{"a", "b"}));
  EXPECT_EQ(data_of("data: a\n\ndata: b"), (Data{"a", "b"}));
  EXPECT_EQ(data_of("data: a\r\n\r"), (Data{"a"}));
  EXPECT_EQ(data_of("data: a\n\ndat"), (Data{"a"}));
  EXPECT_EQ(data_of("data: a\n\nevent: b\n"), (Data{"a"}));
}

TEST(SseFramer, ABlankLineOfCrEndsTheFrameAtOnceWhereLinesEndInCr) {
  SseFramer framer;
  ASSERT_TRUE(framer.feed("data: [DONE]\r\r"));
  const auto frame = framer.next();
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->data, "[DONE]");
}

TEST(SseFramer, WaitsForTheLfOfACrLf) {
  SseFramer framer;
  ASSERT_TRUE(framer.feed("data: a\r\n\r"));
  EXPECT_FALSE(framer.next());
  ASSERT_TRUE(framer.feed("\n"));
  const auto frame = framer.next();
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->raw, "data: a\r\n\r\n");
}

TEST(SseFramer, KeepsBytesThatAreNoText) {
  const auto got = frames({"data: a\0b\xff\n\n"sv});
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].data, "a\0b\xff"sv);
}

constexpr std::string_view kStreams[] = {
    "event: message_start\ndata: {\"a\":1}\n\nevent: ping\ndata: {}\n\ndata: [DONE]\n\n",
    "event: x\r\ndata: 1\r\ndata: 2\r\n\r\n: note\r\n\r\ndata: 3\r\n\r\n",
    "data: 1\rdata: 2\r\r: c\r\rdata: 3\r\r\r",
    "\xef\xbb\xbf"
    "data: a\n\n\xef\xbb\xbf"
    "data: b\n\ndata: c",
    "data: a\r\n\rdata: b\n\r\ndata: c\r\r\n\r\n\n\rdata: d\n\r",
    "\r\n\r\r\n\n\ndata\n\ndata:\r\n\r\nevent: z\n\n:\n\n\r",
    "\xef\xbb"
    "data: not a mark\n\ndata: d\n\n",
    "\xef\xbb\xbf\xef\xbb\xbf"
    "data: a\n\ndata: b\n\n",
};

TEST(SseFramer, EverySplitInTwoGivesTheSameFrames) {
  for (const std::string_view stream : kStreams) {
    const auto whole = frames({stream});
    for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
      ASSERT_EQ(frames({stream.substr(0, cut), stream.substr(cut)}), whole) << stream << cut;
    }
  }
}

TEST(SseFramer, EverySplitInThreeGivesTheSameFrames) {
  for (const std::string_view stream : kStreams) {
    const auto whole = frames({stream});
    for (std::size_t i = 0; i <= stream.size(); ++i) {
      for (std::size_t j = i; j <= stream.size(); ++j) {
        ASSERT_EQ(frames({stream.substr(0, i), stream.substr(i, j - i), stream.substr(j)}), whole)
            << stream << i << " " << j;
      }
    }
  }
}

TEST(SseFramer, ByteByByteGivesTheSameFrames) {
  for (const std::string_view stream : kStreams) {
    std::vector<std::string_view> bytes;
    for (std::size_t i = 0; i < stream.size(); ++i) bytes.push_back(stream.substr(i, 1));
    EXPECT_EQ(frames(bytes), frames({stream}));
  }
}

TEST(SseFramer, PassedOnBytesAreTheStream) {
  const std::string_view stream = "data: 1\n\n: c\n\nevent: x\r\ndata: 2\r\n\r\ndata: 3\r\rdata: 4";
  std::string joined;
  for (const Kept& frame : frames({stream})) joined += frame.raw;
  EXPECT_EQ(joined, stream);
}

TEST(SseFramer, RefusesAFrameOverTheLimitInAnyPieces) {
  const std::string head = "data: ok\n\ndata: ";
  for (const std::size_t piece : {std::size_t{64} * 1024, kSseFrameBytesMax * 2}) {
    for (const std::size_t over : {0, 1}) {
      const std::string stream =
          head + std::string(kSseFrameBytesMax - 8 + over, 'x') + "\n\n" + "data: after\n\n";
      SseFramer framer;
      std::vector<Kept> got;
      bool failed = false;
      for (std::size_t at = 0; at < stream.size() && !failed; at += piece) {
        const auto fed = framer.feed(std::string_view(stream).substr(at, piece));
        EXPECT_TRUE(fed || fed.error().code == ErrorCode::protocol);
        failed = !fed;
        take_all(framer, got);
      }
      EXPECT_EQ(failed, over == 1) << piece;
      EXPECT_EQ(got.size(), over == 1 ? 1u : 3u) << piece;
      EXPECT_EQ(framer.feed("data: more\n\n").has_value(), over == 0);
      EXPECT_FALSE(over == 1 && framer.finish());
    }
  }
}

TEST(SseFramer, SmallPiecesOfALargeFrameCostLinearTime) {
  // A framer that searched from the frame's start each time would need hours.
  SseFramer framer;
  ASSERT_TRUE(framer.feed("data: "));
  const std::string piece(16, 'x');
  for (int i = 0; i < 200'000; ++i) {
    ASSERT_TRUE(framer.feed(piece));
    ASSERT_FALSE(framer.next());
  }
  ASSERT_TRUE(framer.feed("\n\n"));
  EXPECT_EQ(framer.next()->data.size(), 200'000u * 16);
}

TEST(SseFramer, ManyLinesInOneFrameCostLinearTime) {
  for (const std::string_view line : {"data\r", "data\n", "data\r\n"}) {
    std::string stream;
    while (stream.size() + 16 < kSseFrameBytesMax) stream += line;
    stream += line.back() == '\r' ? "\r" : "\n";
    SseFramer framer;
    ASSERT_TRUE(framer.feed(stream));
    const auto frame = framer.next();
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->data.size(), stream.size() / line.size() - 1);
  }
}

TEST(SseFramer, ManyFramesInOnePieceCostLinearTime) {
  std::string stream;
  for (int i = 0; i < 100'000; ++i) stream += "data: x\r\r";
  SseFramer framer;
  ASSERT_TRUE(framer.feed(stream));
  int count = 0;
  while (framer.next()) {
    ++count;
    ASSERT_TRUE(count % 100 != 0 || framer.feed("data: y\n\n"));
  }
  EXPECT_EQ(count, 101'010);
}

}  // namespace
}  // namespace nl::dialect
