#include "dialect/ndjson.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "dialect/framer.h"

namespace nl::dialect {
namespace {

// A line that outlives the framer's buffer.
struct Kept {
  std::string raw;
  std::string data;
  bool operator==(const Kept&) const = default;
};
using Lines = std::vector<Kept>;

void take_all(NdjsonFramer& framer, Lines& out) {
  while (const auto frame = framer.next()) {
    EXPECT_EQ(frame->kind, FrameKind::event);
    EXPECT_EQ(frame->event, "");
    out.push_back({std::string(frame->raw), std::string(frame->data)});
  }
}

Lines lines(const std::vector<std::string_view>& pieces) {
  NdjsonFramer framer;
  Lines out;
  for (const std::string_view piece : pieces) {
    EXPECT_TRUE(framer.feed(piece));
    take_all(framer, out);
  }
  while (const auto frame = framer.finish()) {
    out.push_back({std::string(frame->raw), std::string(frame->data)});
  }
  EXPECT_EQ(framer.pending_bytes(), 0u);
  return out;
}

TEST(NdjsonFramer, CutsLines) {
  EXPECT_EQ(lines({"{\"a\":1}\n{\"b\":2}\n"}),
            (Lines{{"{\"a\":1}\n", "{\"a\":1}"}, {"{\"b\":2}\n", "{\"b\":2}"}}));
}

TEST(NdjsonFramer, TakesEitherLineEndAndLeavesBlanksOut) {
  EXPECT_EQ(lines({"\n{}\r\n\r\n \t\n  [1] \n\n"}), (Lines{{"{}\r\n", "{}"}, {"  [1] \n", "[1]"}}));
}

TEST(NdjsonFramer, AnEscapedLineEndIsNone) {
  EXPECT_EQ(lines({"{\"a\":\"x\\ny\"}\n"}), (Lines{{"{\"a\":\"x\\ny\"}\n", "{\"a\":\"x\\ny\"}"}}));
}

TEST(NdjsonFramer, TheLastLineNeedsNoEnd) {
  EXPECT_EQ(lines({"{}\n{\"b\":", "2}"}), (Lines{{"{}\n", "{}"}, {"{\"b\":2}", "{\"b\":2}"}}));
  EXPECT_EQ(lines({}), Lines{});
  EXPECT_EQ(lines({"\n  "}), Lines{});
}

TEST(NdjsonFramer, SkipsAByteOrderMark) {
  EXPECT_EQ(lines({"\xef", "\xbb", "\xbf{}\n"}), (Lines{{"{}\n", "{}"}}));
  EXPECT_EQ(lines({"\xef\xbb"}), Lines{});
}

TEST(NdjsonFramer, PiecesDoNotMatter) {
  const std::string stream = "\xef\xbb\xbf{\"a\":\"\xc3\xa9\"}\r\n\n{\"b\":2}\n \n[3]";
  const Lines whole = lines({stream});
  ASSERT_EQ(whole.size(), 3u);
  for (std::size_t at = 0; at <= stream.size(); ++at) {
    const std::string_view text = stream;
    EXPECT_EQ(lines({text.substr(0, at), text.substr(at)}), whole) << "split at byte " << at;
  }
  std::vector<std::string_view> bytes;
  for (std::size_t at = 0; at < stream.size(); ++at) bytes.emplace_back(&stream[at], 1);
  EXPECT_EQ(lines(bytes), whole);
}

TEST(NdjsonFramer, RefusesALineOverTheLimitAndKeepsThoseBefore) {
  const std::string longest(kNdjsonLineBytesMax - 1, 'x');
  EXPECT_EQ(lines({longest, "\n"}).size(), 1u);
  for (const std::string& end : {std::string("x\n"), std::string("xx")}) {
    NdjsonFramer framer;
    const auto fed = framer.feed("{}\n" + longest + end);
    ASSERT_FALSE(fed);
    EXPECT_EQ(fed.error().code, ErrorCode::protocol);
    Lines got;
    take_all(framer, got);
    EXPECT_EQ(got, (Lines{{"{}\n", "{}"}}));
    EXPECT_FALSE(framer.finish());
    EXPECT_FALSE(framer.feed("{}\n"));
  }
}

TEST(NdjsonFramer, HoldsNoMoreThanWhatIsLeft) {
  NdjsonFramer framer;
  const std::string line = "{\"a\":\"" + std::string(1000, 'x') + "\"}\n";
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_TRUE(framer.feed(line));
    const auto frame = framer.next();
    ASSERT_TRUE(frame);
    ASSERT_EQ(frame->raw, line);
    ASSERT_EQ(framer.pending_bytes(), 0u);
  }
}

TEST(Framer, CutsAsItsFramingSays) {
  Framer events(Framing::sse);
  ASSERT_TRUE(events.feed("data: 1\n\ndata: 2"));
  EXPECT_EQ(events.next()->data, "1");
  EXPECT_FALSE(events.next());
  EXPECT_EQ(events.finish()->data, "2");
  Framer values(Framing::ndjson);
  ASSERT_TRUE(values.feed("1\n2"));
  EXPECT_EQ(values.next()->data, "1");
  EXPECT_FALSE(values.next());
  EXPECT_EQ(values.pending_bytes(), 1u);
  EXPECT_EQ(values.finish()->data, "2");
}

}  // namespace
}  // namespace nl::dialect
