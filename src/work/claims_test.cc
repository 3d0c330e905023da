#include "work/claims.h"

#include <gtest/gtest.h>

namespace nl::work {
namespace {

TEST(Claims, AreReadOutOfWhateverTheModelWritesAroundThem) {
  const std::string json = R"({"claims":[{"claim":"A is 3.","quote":"a = 3"},{"claim":""}]})";
  for (const std::string& answer : {json, "Here:\n```json\n" + json + "\n```", json + "\n"}) {
    const auto claims = read_claims(answer);
    ASSERT_TRUE(claims) << answer;
    ASSERT_EQ(claims->size(), 1U);
    EXPECT_EQ(claims->front().text, "A is 3.");
    EXPECT_EQ(claims->front().quote, "a = 3");
  }
  EXPECT_TRUE(read_claims(R"({"claims":[]})")->empty());
  const auto cut = read_claims(R"({"claims":[{"claim":"A","quote":"a"},{"claim":"B","quo)");
  ASSERT_TRUE(cut);
  EXPECT_EQ(cut->size(), 1U);
  // Damaged in the middle, or a list without its frame: each that is whole counts.
  for (const char* answer :
       {R"({"claims":[{"claim":"A {1}","quote":"a"},{"claim":"B" "quote":"b"},{"claim":"C"}]})",
        R"([{"claim":"A {1}","quote":"a"},{"claim":"C"}])"}) {
    const auto whole = read_claims(answer);
    ASSERT_TRUE(whole) << answer;
    ASSERT_EQ(whole->size(), 2U);
    EXPECT_EQ(whole->at(0).text + whole->at(1).text, "A {1}C");
  }
  for (const std::string_view piece : {"{", "{\"", "{\"x\"", "{\\\""}) {
    std::string hostile;
    while (hostile.size() < 3'000'000) hostile += piece;
    EXPECT_FALSE(read_claims(hostile + "}")) << piece;
  }
  for (const char* answer : {"", "nothing", "{", "}{", R"({"claims":3})", R"({"claims":[{"cl)"}) {
    EXPECT_FALSE(read_claims(answer)) << answer;
  }
}

TEST(Claims, AQuoteIsFoundWhateverItsSpacesAndSigns) {
  const std::string text = "First.\nThe  supplier \xC3\x84RGER promised\n\"ten days\", no more.";
  EXPECT_EQ(find_quote(text, "the supplier \xC3\x84RGER promised \"ten days\""), 7U);
  EXPECT_EQ(find_quote(text, "promised ... ten days, no more"), text.find("ten days"));
  EXPECT_FALSE(find_quote(text, "the supplier promised twelve days"));
  EXPECT_FALSE(find_quote(text, "no"));
  EXPECT_FALSE(find_quote(text, ""));
}

TEST(Claims, GetThePlaceOfTheirQuoteOrOfThePart) {
  documents::Document document;
  document.text = "one\ntwo is a number\nthree is one too\n";
  std::vector<Claim> claims(2);
  claims[0].quote = "three is one too";
  claims[1].quote = "never said that";
  locate(claims, document, 4, document.text.size());
  EXPECT_TRUE(claims[0].found);
  EXPECT_EQ(claims[0].place, "line 3");
  EXPECT_FALSE(claims[1].found);
  EXPECT_EQ(claims[1].place, "lines 2 to 3");
}

}  // namespace
}  // namespace nl::work
