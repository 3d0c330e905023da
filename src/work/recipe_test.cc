#include "work/recipe.h"

#include <gtest/gtest.h>

#include <array>

namespace nl::work {
namespace {

using Pair = std::pair<std::string_view, std::string_view>;

TEST(Fill, PutsTextInItsPlacesOnce) {
  const std::array places = {Pair{"words", "{documents} and \n"}, Pair{"documents", "D"}};
  EXPECT_EQ(fill("{documents}: {words}!", places), "D: {documents} and \n!");
  EXPECT_EQ(fill("\n\n{documents}\n", places), "D");
  EXPECT_EQ(fill("{{\"a\": {words}}}", places), "{\"a\": {documents} and \n}");
  EXPECT_EQ(fill("{unknown} {", places), "{unknown} {");
  EXPECT_EQ(fill(" \n", places), "");
}

TEST(Fill, NamesAPlaceThatDoesNotExist) {
  const std::array<std::string_view, 2> names = {"words", "text"};
  EXPECT_FALSE(wrong_place("{words} {{x}} {text}", names));
  EXPECT_EQ(wrong_place("{wrods}", names), "{wrods}");
  EXPECT_EQ(wrong_place("a { b", names), "{");
  EXPECT_EQ(wrong_place("a } b", names), "}");
  EXPECT_EQ(wrong_place("{}", names), "{");
}

TEST(Marked, NamesEveryDocument) {
  std::vector<documents::Document> list(2);
  list[0].name = "a \"b\".txt";
  list[0].text = "one\n";
  list[1].name = "c";
  list[1].text = "two";
  EXPECT_EQ(marked(list),
            "<document name=\"a 'b'.txt\">\none\n</document>\n\n<document "
            "name=\"c\">\ntwo\n</document>");
}

}  // namespace
}  // namespace nl::work
