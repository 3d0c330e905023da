#include "dialect/json_escapes.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace nl::dialect {
namespace {

// The rule, byte by byte.
bool valid_escapes(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') continue;
    ++i;
    if (i == text.size() ||
        std::string_view("\"\\/bfnrtu").find(text[i]) == std::string_view::npos) {
      return false;
    }
    if (text[i] != 'u') continue;
    const std::string_view digits = text.substr(i + 1, 4);
    constexpr std::string_view kHex = "0123456789abcdefABCDEF";
    if (digits.size() != 4 || digits.find_first_not_of(kHex) != std::string_view::npos)
      return false;
  }
  return true;
}

TEST(JsonEscapes, AgreesWithTheRuleOnRandomText) {
  // Few letters, so that runs of backslashes of every length and place occur.
  constexpr std::string_view kLetters = "\\\\\\\\\\\\nnu\"00aAq ";
  std::uint32_t state = 1;
  JsonEscapes escapes;
  int good = 0;
  for (int round = 0; round < 200'000; ++round) {
    std::string text;
    const auto draw = [&state] { return (state = state * 1664525u + 1013904223u) >> 16; };
    const std::size_t padding = draw() % 130;
    text.append(padding, 'x');
    for (std::uint32_t left = draw() % 12; left > 0; --left)
      text += kLetters[draw() % kLetters.size()];
    text.append(draw() % 70, '0');
    const bool valid = valid_escapes(text);
    good += valid ? 1 : 0;
    const auto fault = escapes.run(text);
    ASSERT_EQ(!fault, valid) << text;
    ASSERT_TRUE(valid || text[fault->at] == '\\') << text;
  }
  EXPECT_GT(good, 10'000);
}

TEST(JsonEscapes, EveryByteAfterABackslash) {
  JsonEscapes escapes;
  for (int c = 0; c < 256; ++c) {
    const std::string text = std::string("xx\\") + static_cast<char>(c) + "0000";
    EXPECT_EQ(!escapes.run(text), valid_escapes(text)) << c;
  }
}

TEST(JsonEscapes, LongRunsOfBackslashes) {
  JsonEscapes escapes;
  for (std::size_t n = 0; n < 300; ++n) {
    EXPECT_EQ(!escapes.run(std::string(n, '\\')), n % 2 == 0) << n;
    EXPECT_EQ(!escapes.run("y" + std::string(n, '\\') + "q"), n % 2 == 0) << n;
    EXPECT_EQ(!escapes.run("y" + std::string(n, '\\') + "n"), true) << n;
  }
}

TEST(JsonEscapes, SaysWhetherARangeHoldsABackslash) {
  JsonEscapes escapes;
  std::string text(400, 'x');
  for (const std::size_t at : {0u, 1u, 63u, 64u, 65u, 200u, 397u}) {
    text.replace(at, 2, "\\n");
    ASSERT_FALSE(escapes.run(text));
    for (std::size_t begin = 0; begin <= text.size(); ++begin) {
      for (std::size_t end = begin; end <= text.size(); end += 1 + (end - begin) / 8) {
        ASSERT_EQ(escapes.any(begin, end), begin <= at && at < end) << begin << " " << end;
      }
    }
    text.replace(at, 2, "xx");
  }
}

TEST(JsonEscapes, FindsWhereASurrogateMayStandWhateverTheOffset) {
  for (const std::size_t size : {0u, 1u, 2u, 3u, 63u, 64u, 65u, 66u, 67u, 130u, 200u}) {
    const std::string plain(size, 'u');
    ASSERT_FALSE(may_hold_surrogate(plain)) << size;
    for (std::size_t at = 0; at + 3 <= size; ++at) {
      for (const char* escape : {"\\ud", "\\uD"}) {
        std::string text = plain;
        text.replace(at, 3, escape);
        ASSERT_TRUE(may_hold_surrogate(text)) << size << " " << at;
      }
      for (const char* other : {"\\ue", "\\Ud", "/ud", "\\nd"}) {
        std::string text = plain;
        text.replace(at, 3, other);
        ASSERT_FALSE(may_hold_surrogate(text)) << size << " " << at << other;
      }
    }
  }
}

}  // namespace
}  // namespace nl::dialect
