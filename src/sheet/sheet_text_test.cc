#include "sheet/sheet_text.h"

#include <gtest/gtest.h>

namespace nl::sheet {
namespace {

double columns(std::string_view text) {
  return static_cast<double>(terminal_columns(text));
}

TEST(SheetText, CleanTakesWhatATerminalWouldObey) {
  EXPECT_EQ(clean("a\x1b[31mb\x07\r\nc\td"), "a [31mb   c d");
  EXPECT_EQ(clean("x\xe2\x80\xaey"), "x y") << "right-to-left override";
  EXPECT_EQ(clean("a\xc2\x9b"
                  "31m"),
            "a 31m")
      << "the one-byte form of an escape sequence";
  EXPECT_EQ(clean(std::string("a\0b", 3)), "a b");
  EXPECT_EQ(clean("na\xc3\xafve \xe6\x97\xa5"), "na\xc3\xafve \xe6\x97\xa5");
}

TEST(SheetText, CleanMakesValidUtf8OfAnything) {
  EXPECT_EQ(clean("\xff\xfe"), "??");
  EXPECT_EQ(clean("\xc0\xaf"), "??") << "overlong";
  EXPECT_EQ(clean("\xed\xa0\x80"), "???") << "half a surrogate pair";
  EXPECT_EQ(clean("cut \xe6\x97"), "cut ??");
  EXPECT_EQ(clean("\xf4\x90\x80\x80"), "????") << "behind the last code point";
}

TEST(SheetText, CleanIsBounded) {
  EXPECT_EQ(clean(std::string(kCellCharactersMax, 'x')).size(), kCellCharactersMax);
  EXPECT_EQ(clean(std::string(10'000, 'x')).size(), kCellCharactersMax + 3);
}

TEST(SheetText, WideCharactersTakeTwoColumns) {
  EXPECT_EQ(terminal_columns("ab"), 2U);
  EXPECT_EQ(terminal_columns("\xe6\x97\xa5"), 2U);
  EXPECT_EQ(terminal_columns("e\xcc\x81"), 1U) << "a combining accent";
}

TEST(SheetText, WrapsAtSpacesAndInsideLongWords) {
  EXPECT_EQ(wrap("one two three", 7, columns), (std::vector<std::string>{"one two", "three"}));
  EXPECT_EQ(wrap("a bcdefgh i", 3, columns), (std::vector<std::string>{"a", "bcd", "efg", "h i"}));
  EXPECT_EQ(wrap("  spaced   out ", 20, columns), (std::vector<std::string>{"spaced out"}));
  EXPECT_EQ(wrap("", 5, columns), (std::vector<std::string>{""}));
  EXPECT_EQ(wrap("\xe6\x97\xa5\xe6\x97\xa5", 1, columns).size(), 2U) << "never inside one";
}

TEST(SheetText, NoLineIsWiderThanAsked) {
  const std::string text = "Reads about 5173 tokens/s, writes about 255 (an estimate), wholly";
  for (double width = 1; width < 70; ++width) {
    for (const std::string& line : wrap(text, width, columns)) {
      EXPECT_LE(columns(line), width) << line;
    }
  }
}

}  // namespace
}  // namespace nl::sheet
