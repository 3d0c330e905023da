#include "documents/text_encoding.h"

#include <gtest/gtest.h>

namespace nl::documents {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::string_view kLost = "\xEF\xBF\xBD";

TEST(TextEncoding, ReadsEveryMarkedEncoding) {
  EXPECT_EQ(decode_text("\xEF\xBB\xBF"
                        "caf\xC3\xA9")
                .text,
            "caf\xC3\xA9");
  EXPECT_EQ(decode_text("\xFF\xFEh\0\xE9\0"sv).text, "h\xC3\xA9");
  EXPECT_EQ(decode_text("\xFE\xFF\0h\xD8\x3D\xDE\x00"sv).text, "h\xF0\x9F\x98\x80");
  EXPECT_EQ(decode_text("\xFF\xFE\0\0h\0\0\0"sv).text, "h");
  EXPECT_EQ(decode_text("\0\0\xFE\xFF\0\0\0h"sv).text, "h");
}

TEST(TextEncoding, ReadsUtf16WithoutAMarkByItsZeros) {
  EXPECT_EQ(decode_text("h\0e\0l\0l\0o\0 \0y\0o\0"sv).text, "hello yo");
  EXPECT_EQ(decode_text("\0h\0e\0l\0l\0o\0 \0y\0o"sv).text, "hello yo");
}

TEST(TextEncoding, FallsBackToWindows1252AndSaysSo) {
  const Decoded decoded = decode_text("\x93na\xEFve\x94 \x80");
  EXPECT_EQ(decoded.text, "\xE2\x80\x9Cna\xC3\xAFve\xE2\x80\x9D \xE2\x82\xAC");
  EXPECT_NE(decoded.note.find("Windows-1252"), std::string::npos);
  EXPECT_EQ(decode_text("plain").note, "");
}

TEST(TextEncoding, ReplacesWhatIsNotUtf8InUtf8) {
  const Decoded decoded = decode_text("caf\xC3\xA9 d\xC3\xA9j\xC3\xA0 \xFF end");
  EXPECT_EQ(decoded.text, "caf\xC3\xA9 d\xC3\xA9j\xC3\xA0 " + std::string(kLost) + " end");
  EXPECT_NE(decoded.note.find("1 character"), std::string::npos);
}

TEST(TextEncoding, GivesValidTextForAnyBytes) {
  for (const std::string_view bytes :
       {"\xC0\x80"sv, "\xED\xA0\x80"sv, "\xF4\x90\x80\x80"sv, "\xE2\x82"sv, "a\0b"sv,
        "\xFF\xFE\0"sv, "\xFF\xFE\x00\xD8"sv, "\xFF\xFE\0\0\0\0\x11\0"sv}) {
    const std::string text = decode_text(bytes).text;
    EXPECT_EQ(repair_utf8(text).replaced, 0U);
    EXPECT_EQ(text.find('\0'), std::string::npos);
  }
}

TEST(TextEncoding, CutsBetweenCharacters) {
  EXPECT_EQ(cut_utf8("a\xC3\xA9", 2), "a");
  EXPECT_EQ(cut_utf8("a\xC3\xA9", 3), "a\xC3\xA9");
  EXPECT_EQ(cut_utf8("\xF0\x9F\x98\x80", 3), "");
}

TEST(TextEncoding, MakesOneHarmlessLine) {
  EXPECT_EQ(one_line("  a\r\n\tb  ", 100), "a b");
  EXPECT_EQ(one_line("\x1b[31mred\x9B", 100), std::string(kLost) + "[31mred" + std::string(kLost));
  EXPECT_EQ(one_line("\xC2\x9B"
                     "1m",
                     100),
            std::string(kLost) + "1m");
  EXPECT_EQ(one_line("a\xE2\x80\xAE"
                     "b\xE2\x80\x8B"
                     "c",
                     100),
            "abc");
  EXPECT_EQ(one_line("0123456789", 8), "01234...");
  EXPECT_EQ(one_line("01234567", 8), "01234567");
}

TEST(TextEncoding, MakesHarmlessLines) {
  EXPECT_EQ(plain_lines("a\r\nb\rc\n\td"), "a\nb\nc\n\td");
  EXPECT_EQ(plain_lines("\x1b[2J\x07"), std::string(kLost) + "[2J" + std::string(kLost));
}

}  // namespace
}  // namespace nl::documents
