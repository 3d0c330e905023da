#include "http/chunk.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "http/body.h"

namespace nl::http {
namespace {

struct Outcome {
  std::string data;
  std::size_t left_over = 0;
  bool complete = false;
  bool failed = false;

  bool operator==(const Outcome&) const = default;
};

// Feeds `wire` in pieces of the given sizes, the last one as often as it takes.
Outcome decode(std::string wire, std::size_t first, std::size_t rest) {
  ChunkDecoder decoder;
  Outcome outcome;
  std::size_t at = 0;
  for (std::size_t size = first; at < wire.size() && !decoder.complete(); size = rest) {
    const std::size_t count = std::min(size, wire.size() - at);
    if (count == 0) continue;
    const auto found = decoder.decode(std::span(wire).subspan(at, count));
    if (!found) {
      Outcome refused;
      refused.failed = true;
      return refused;
    }
    outcome.data.append(wire, at, found->data);
    at += found->consumed;
  }
  outcome.left_over = wire.size() - at;
  outcome.complete = decoder.complete();
  return outcome;
}

// The same for every split in two, and for single bytes.
Outcome decode_every_way(const std::string& wire) {
  const Outcome whole = decode(wire, wire.size(), wire.size());
  EXPECT_EQ(decode(wire, 1, 1), whole) << wire;
  for (std::size_t split = 1; split < wire.size(); ++split) {
    EXPECT_EQ(decode(wire, split, wire.size()), whole) << "split at " << split << ": " << wire;
  }
  return whole;
}

TEST(ChunkDecoder, joins_the_data_of_all_chunks) {
  const Outcome outcome = decode_every_way("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\nGET /");
  EXPECT_EQ(outcome.data, "hello world");
  EXPECT_EQ(outcome.left_over, 5U);
  EXPECT_TRUE(outcome.complete);
}

TEST(ChunkDecoder, drops_extensions_and_trailers) {
  const Outcome outcome = decode_every_way(
      "5; some;a=\"b\"\r\nhello\r\n00A;x\r\n0123456789\r\n000;last\r\nX-Sum: 1\r\nY: 2\r\n\r\n");
  EXPECT_EQ(outcome.data, "hello0123456789");
  EXPECT_TRUE(outcome.complete);
}

TEST(ChunkDecoder, waits_for_the_end) {
  for (const char* wire : {"", "5", "5\r", "5\r\n", "5\r\nhell", "5\r\nhello", "5\r\nhello\r\n",
                           "0\r\n", "0\r\n\r", "0\r\nA: b\r\n"}) {
    const Outcome outcome = decode_every_way(wire);
    EXPECT_FALSE(outcome.failed) << wire;
    EXPECT_FALSE(outcome.complete) << wire;
  }
}

TEST(ChunkDecoder, refuses_every_framing_doubt) {
  for (const char* wire : {"x\r\n",
                           "\r\n",
                           " 5\r\nhello\r\n",
                           "5 \r\nhello\r\n",
                           "+5\r\nhello\r\n",
                           "-5\r\nhello\r\n",
                           "0x5\r\nhello\r\n",
                           "5\nhello\r\n",
                           "5\r\nhello\n",
                           "5\r\nhellox\r\n",
                           "5\r\nhello\r0\r\n",
                           "5\n;\r\nhello\r\n",
                           " ;foo=bar\r\nhello\r\n",
                           ";a\r\n",
                           "5;a\nb\r\nhello\r\n",
                           "5;a\x01\r\nhello\r\n",
                           "10000000000000000\r\n",
                           "00000000000000005\r\nhello\r\n",
                           "0\r\nHost: evil\r\n\r\n",
                           "0\r\nContent-Length: 5\r\n\r\n",
                           "0\r\nno colon\r\n\r\n",
                           "0\r\nTransfer-Encoding: chunked\r\n\r\n",
                           "0\r\n a: b\r\n\r\n",
                           "0\r\na : b\r\n\r\n",
                           "0\r\na: b\n\r\n",
                           "0\r\na: \x07\r\n\r\n",
                           "0\r\n\rX",
                           "0\n\n",
                           "5\r\nhello\r\n\r\n"}) {
    EXPECT_TRUE(decode_every_way(wire).failed) << wire;
  }
  EXPECT_TRUE(decode_every_way(std::string("5\0\r\nhello", 10)).failed);
}

TEST(ChunkDecoder, accepts_the_largest_size_and_no_larger) {
  EXPECT_FALSE(decode("ffffffffffffffff\r\nabc", 100, 100).failed);
  EXPECT_TRUE(decode("fffffffffffffffff\r\nabc", 100, 100).failed);
}

TEST(ChunkDecoder, bounds_extensions_and_trailers) {
  EXPECT_TRUE(decode("5;" + std::string(kChunkExtensionBytesMax, 'a') + "\r\n", 64, 64).failed);
  std::string many;
  std::string short_ones;
  for (int i = 0; i < 400; ++i) {
    many += "1;abcdefghijklmnopqrstuvwxyz\r\nx\r\n";
    short_ones += "1;abc=de\r\nx\r\n";
  }
  EXPECT_TRUE(decode(many, 64, 64).failed) << "the bound counts the whole body";
  EXPECT_FALSE(decode(short_ones, 64, 64).failed) << "a short one on every chunk is lawful";
  EXPECT_TRUE(decode("0\r\na: " + std::string(kTrailerBytesMax, 'b'), 64, 64).failed);
}

TEST(ChunkDecoder, stays_failed) {
  ChunkDecoder decoder;
  std::string bad = "zz";
  EXPECT_FALSE(decoder.decode(bad).has_value());
  std::string good = "0\r\n\r\n";
  EXPECT_FALSE(decoder.decode(good).has_value());
}

TEST(BodyReader, ends_as_the_framing_says) {
  std::string bytes = "0123456789";
  BodyReader none(Framing::none, 7);
  EXPECT_TRUE(none.complete());
  BodyReader length(Framing::length, 4);
  const auto found = length.decode(bytes);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->data, 4U);
  EXPECT_EQ(found->consumed, 4U);
  EXPECT_TRUE(length.complete());
  BodyReader short_one(Framing::length, 20);
  ASSERT_TRUE(short_one.decode(bytes).has_value());
  EXPECT_EQ(short_one.end().error().code, ErrorCode::truncated);
  BodyReader open_ended(Framing::until_close, 0);
  EXPECT_EQ(open_ended.decode(bytes)->data, 10U);
  EXPECT_FALSE(open_ended.complete());
  EXPECT_TRUE(open_ended.end().has_value());
  EXPECT_TRUE(open_ended.complete());
  BodyReader chunked(Framing::chunked, 0);
  EXPECT_EQ(chunked.end().error().code, ErrorCode::truncated);
}

}  // namespace
}  // namespace nl::http
