#include "dialect/json_prefix.h"

#include <gtest/gtest.h>

#include <string>

#include "dialect/json.h"

namespace nl::dialect {
namespace {

std::string closed(std::string_view prefix) {
  return close_json(prefix).value_or("(nothing)");
}

TEST(JsonPrefix, ClosesWhatIsOpen) {
  EXPECT_EQ(closed(R"({"a":[1,{"b":"xy)"), R"({"a":[1,{"b":"xy"}]})");
  EXPECT_EQ(closed(R"({"a":"x","na)"), R"({"a":"x"})");
  EXPECT_EQ(closed(R"({"a":"x","name")"), R"({"a":"x"})");
  EXPECT_EQ(closed(R"({"a":"x","name":)"), R"({"a":"x"})");
  EXPECT_EQ(closed(R"({"a":"x","n":12)"), R"({"a":"x"})");
  EXPECT_EQ(closed(R"({"a":"x","n":12,)"), R"({"a":"x","n":12})");
  EXPECT_EQ(closed(R"({"a":[)"), R"({"a":[]})");
  EXPECT_EQ(closed("{}   "), "{}");
  EXPECT_EQ(closed("  "), "(nothing)");
  EXPECT_EQ(closed("<html>"), "(nothing)");
}

TEST(JsonPrefix, KeepsWholeCharactersOnly) {
  EXPECT_EQ(closed("[\"a\xC3"), "[\"a\"]");
  EXPECT_EQ(closed("[\"a\xC3\xA9"), "[\"a\xC3\xA9\"]");
  EXPECT_EQ(closed("[\"a\\"), "[\"a\"]");
  EXPECT_EQ(closed("[\"a\\n"), "[\"a\\n\"]");
  EXPECT_EQ(closed("[\"a\\u00e"), "[\"a\"]");
  EXPECT_EQ(closed("[\"a\\ud83d\\ude0"), "[\"a\"]");
  EXPECT_EQ(closed("[\"a\\ud83d\\ude00"), "[\"a\\ud83d\\ude00\"]");
}

TEST(JsonPrefix, EveryPrefixOfAGoodTextBecomesGood) {
  const std::string text =
      "{\"id\":\"a\\\"\\\\\\u00e9\xE2\x82\xAC\",\"n\":[-1.5e3,true,null,{\"k\":{},\"l\":[]}],\"z\":"
      "\"\\ud83d\\ude00 end\"}";
  Document document;
  ASSERT_TRUE(document.parse(text));
  for (std::size_t size = 1; size <= text.size(); ++size) {
    const std::string made = closed(std::string_view(text).substr(0, size));
    EXPECT_TRUE(document.parse(made)) << made;
  }
  EXPECT_EQ(closed(text), text);
}

}  // namespace
}  // namespace nl::dialect
