#include "work/pieces.h"

#include <gtest/gtest.h>

namespace nl::work {
namespace {

TEST(Pieces, CoverTheWholeTextOnceWithinTheirSize) {
  std::string text;
  for (int i = 0; i < 400; ++i) {
    text += "Line " + std::to_string(i) + " says \xC3\xA4\xE2\x82\xAC 123456789.\n";
    if (i % 7 == 0) text += '\n';
  }
  for (const std::int64_t most : {1, 7, 50, 333, 100'000}) {
    std::size_t from = 0;
    std::string whole;
    while (from < text.size()) {
      const std::size_t to = piece_end(text, from, most);
      ASSERT_GT(to, from);
      const std::string piece = text.substr(from, to - from);
      if (most >= 50) {
        EXPECT_LE(safe_tokens(piece), most);
      }
      EXPECT_NE(static_cast<unsigned char>(piece[0]) & 0xc0U, 0x80U);
      whole += piece;
      from = to;
    }
    EXPECT_EQ(whole, text);
  }
}

TEST(Pieces, EndAtTheBestPlaceNearTheirEnd) {
  EXPECT_EQ(piece_end("one two three four five six seven eight", 0, 7), 28U);
  const std::string paragraphs = std::string(300, 'a') + "\n\n" + std::string(50, 'b') + "\nccc";
  EXPECT_EQ(piece_end(paragraphs, 0, 80), 302U);
  const std::string run(10'000, 'x');
  EXPECT_LE(piece_end(run, 0, 100), 500U);
}

TEST(Pieces, PlacesAreForPeople) {
  documents::Document document;
  document.text = "a\nb\nc\n";
  EXPECT_EQ(place_at(document, 4), "line 3");
  EXPECT_EQ(place_of(document, 0, 6), "lines 1 to 3");
  EXPECT_EQ(place_of(document, 0, 1), "line 1");
  document.kind = documents::Kind::pdf;
  document.text = "p1\n\fp2\f";
  EXPECT_EQ(place_at(document, 5), "page 2");
  EXPECT_EQ(place_of(document, 0, 6), "pages 1 to 2");
}

}  // namespace
}  // namespace nl::work
