#include "chat/text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "chat/model.h"

namespace nl::chat {
namespace {

using std::string_view_literals::operator""sv;

std::string utf8(std::string_view escaped) {
  return JsonText{escaped}.utf8();
}

TEST(JsonText, PlainTextIsItself) {
  EXPECT_TRUE((JsonText{"caf\xc3\xa9"}.plain()));
  EXPECT_FALSE((JsonText{"a\\n"}.plain()));
  EXPECT_EQ(utf8(""), "");
  EXPECT_EQ(utf8("caf\xc3\xa9 \xf0\x9f\x8c\x8d"), "caf\xc3\xa9 \xf0\x9f\x8c\x8d");
}

TEST(JsonText, ResolvesEveryEscape) {
  EXPECT_EQ(utf8(R"(\"\\\/\b\f\n\r\t)"), "\"\\/\b\f\n\r\t");
  EXPECT_EQ(utf8(R"(\u0041\u00e9\u20AC)"), "A\xc3\xa9\xe2\x82\xac");
  EXPECT_EQ(utf8(R"(a\u0000b)"), "a\0b"sv);
  EXPECT_EQ(utf8(R"(\\u0041)"), "\\u0041");
}

TEST(JsonText, JoinsSurrogatePairs) {
  EXPECT_EQ(utf8(R"(\ud83c\udf0d)"), "\xf0\x9f\x8c\x8d");
  EXPECT_EQ(utf8(R"(\uDBFF\uDFFF)"), "\xf4\x8f\xbf\xbf");
  EXPECT_EQ(utf8(R"(\uD800\uDC00)"), "\xf0\x90\x80\x80");
}

TEST(JsonText, LoneSurrogatesBecomeTheReplacementCharacter) {
  const std::string bad = "\xef\xbf\xbd";
  EXPECT_EQ(utf8(R"(\ud800)"), bad);
  EXPECT_EQ(utf8(R"(\udc00)"), bad);
  EXPECT_EQ(utf8(R"(\ud800x)"), bad + "x");
  EXPECT_EQ(utf8(R"(\ud800\n)"), bad + "\n");
  EXPECT_EQ(utf8(R"(\ud800A)"), bad + "A");
  EXPECT_EQ(utf8(R"(\udc00\ud800)"), bad + bad);
  EXPECT_EQ(utf8(R"(\ud83c\ud83c\udf0d)"), bad + "\xf0\x9f\x8c\x8d");
}

TEST(JsonText, BrokenEscapesDoNotReadBeyondTheText) {
  EXPECT_EQ(utf8("\\"), "");
  EXPECT_EQ(utf8("a\\q"), "aq");
  EXPECT_EQ(utf8("\\u12"), "u12");
  EXPECT_EQ(utf8("\\ud83c\\u12"), "\xef\xbf\xbdu12");
}

TEST(Escape, EscapesWhatJsonAsksFor) {
  EXPECT_EQ(escape("\"\\/\b\f\n\r\t"), R"(\"\\/\b\f\n\r\t)");
  EXPECT_EQ(escape("\0\x01\x1f\x7f"sv), "\\u0000\\u0001\\u001f\x7f");
  EXPECT_EQ(escape("caf\xc3\xa9 \xf0\x9f\x8c\x8d"), "caf\xc3\xa9 \xf0\x9f\x8c\x8d");
  std::string out = "x";
  append_escaped(out, "\n");
  EXPECT_EQ(out, "x\\n");
}

// One replacement for each longest beginning of a valid sequence, as browsers do it.
TEST(Escape, InvalidUtf8BecomesTheReplacementCharacter) {
  const std::string bad = "\xef\xbf\xbd";
  EXPECT_EQ(escape("\x80"), bad);
  EXPECT_EQ(escape("a\xff"
                   "b"),
            "a" + bad + "b");
  EXPECT_EQ(escape("\xc0\xaf"), bad + bad);
  EXPECT_EQ(escape("\xe0\x80\xaf"), bad + bad + bad);
  EXPECT_EQ(escape("\xed\xa0\x80"), bad + bad + bad);
  EXPECT_EQ(escape("\xf4\x90\x80\x80"), bad + bad + bad + bad);
  EXPECT_EQ(escape("\xe2\x82"), bad);
  EXPECT_EQ(escape("\xf0\x9f\x8c"), bad);
  EXPECT_EQ(escape("\xf0\x9f\x8c\""), bad + "\\\"");
  EXPECT_EQ(escape("\xe1\x80\xe2\xf0\x91\x92\xf1\xbf"
                   "A"),
            bad + bad + bad + bad + "A");
}

TEST(Escape, EveryCodePointSurvivesTheWayThereAndBack) {
  for (std::uint32_t point = 0; point < 0x110000; point += point < 0x3000 ? 1 : 13) {
    if (point >= 0xd800 && point < 0xe000) continue;
    std::string text;
    if (point < 0x80) {
      text = {static_cast<char>(point)};
    } else if (point < 0x800) {
      text = {static_cast<char>(0xc0 | point >> 6), static_cast<char>(0x80 | (point & 63))};
    } else if (point < 0x10000) {
      text = {static_cast<char>(0xe0 | point >> 12), static_cast<char>(0x80 | (point >> 6 & 63)),
              static_cast<char>(0x80 | (point & 63))};
    } else {
      text = {static_cast<char>(0xf0 | point >> 18), static_cast<char>(0x80 | (point >> 12 & 63)),
              static_cast<char>(0x80 | (point >> 6 & 63)), static_cast<char>(0x80 | (point & 63))};
    }
    ASSERT_EQ(utf8(escape(text)), text) << point;
  }
}

// Plain bytes are passed over eight at a time: one that needs care must be seen wherever it stands.
TEST(Escape, SeesEveryByteAtEveryPlace) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const std::string alone = escape(std::string(1, c));
    for (std::size_t before = 0; before < 18; ++before) {
      for (const std::size_t behind : {std::size_t{0}, std::size_t{1}, std::size_t{9}}) {
        const std::string text = std::string(before, '~') + c + std::string(behind, ' ');
        ASSERT_EQ(escape(text), std::string(before, '~') + alone + std::string(behind, ' '))
            << byte << " behind " << before;
      }
    }
  }
}

// Lines "number:valid or invalid:bytes" of a public corpus: valid bytes come back as they were,
// invalid ones come back changed.
TEST(Escape, TellsValidUtf8FromInvalid) {
  std::ifstream file("../shared/data/badinput/text/utf8tests.bin", std::ios::binary);
  if (!file) GTEST_SKIP() << "no shared test data beside this checkout";
  const std::string all{std::istreambuf_iterator<char>(file), {}};
  std::string_view rest = all;
  int lines = 0;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const std::size_t first = line.find(':');
    if (first == std::string_view::npos || line.starts_with('#')) continue;
    const std::size_t second = line.find(':', first + 1);
    const std::string_view kind = line.substr(first + 1, second - first - 1);
    const std::string_view bytes = line.substr(second + 1);
    if (kind != "valid" && kind != "invalid") continue;
    ++lines;
    EXPECT_EQ(utf8(escape(bytes)) == bytes, kind == "valid") << line;
  }
  EXPECT_GT(lines, 50);
}

TEST(ModelClass, HasNames) {
  EXPECT_STREQ(name(ModelClass::large), "large");
  EXPECT_STREQ(name(ModelClass::medium), "medium");
  EXPECT_STREQ(name(ModelClass::small), "small");
}

}  // namespace
}  // namespace nl::chat
