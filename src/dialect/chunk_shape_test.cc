#include "dialect/chunk_shape.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "dialect/json.h"

namespace nl::dialect {
namespace {

constexpr std::string_view kBefore = R"({"a":1,"t":")";
constexpr std::string_view kAfter = R"(","b":["x"]})";

std::string chunk(std::string_view words) {
  return std::string(kBefore).append(words).append(kAfter);
}

ChunkShape shape() {
  ChunkShape made;
  const std::string first = chunk("Hello");
  made.remember(first, std::string_view(first).substr(kBefore.size(), 5));
  return made;
}

TEST(ChunkShape, finds_the_words_of_a_chunk_that_is_the_same_elsewhere) {
  for (const std::string_view words : {"x", " and more", "a\\\"b\\\\", "\\n\\t\\/\\b\\f\\r",
                                       "\xc3\xa4\xf0\x9f\x98\x80", ",]}{[:"}) {
    const std::string data = chunk(words);
    EXPECT_EQ(shape().words_of(data), words);
    Document document;
    EXPECT_TRUE(document.parse(data)) << data;
  }
}

TEST(ChunkShape, leaves_to_the_parser_what_is_not_plainly_the_inside_of_a_string) {
  for (const std::string_view words : {"", "\"", "a\",\"c\":\"d", "\\", "a\\", "\\u0041", "\\x",
                                       "a\nb", "\x1f", "\xff", "\xc3", "\xed\xa0\x80"}) {
    EXPECT_EQ(shape().words_of(chunk(words)), std::nullopt) << words;
  }
  EXPECT_EQ(shape().words_of(chunk(std::string_view("a\0b", 3))), std::nullopt);
}

TEST(ChunkShape, a_difference_anywhere_else_is_another_shape) {
  const std::string same = chunk("w");
  for (std::size_t at = 0; at < same.size(); ++at) {
    if (at == kBefore.size()) continue;
    std::string other = same;
    other[at] ^= 1;
    EXPECT_EQ(shape().words_of(other), std::nullopt) << other;
    EXPECT_EQ(shape().words_of(std::string_view(same).substr(0, at)), std::nullopt);
  }
  EXPECT_EQ(shape().words_of(same + " "), std::nullopt);
}

TEST(ChunkShape, begins_without_one_and_forgets_it) {
  EXPECT_EQ(ChunkShape().words_of(chunk("x")), std::nullopt);
  ChunkShape one = shape();
  one.forget();
  EXPECT_EQ(one.words_of(chunk("x")), std::nullopt);
}

}  // namespace
}  // namespace nl::dialect
