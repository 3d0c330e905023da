#include "dialect/json.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace nl::dialect {
namespace {

using std::string_view_literals::operator""sv;

std::string fault(std::string_view text, DuplicateKeys duplicates = DuplicateKeys::allow) {
  Document document;
  const auto parsed = document.parse(text, duplicates);
  EXPECT_EQ(document.root().exists(), parsed.has_value());
  if (parsed) return "";
  EXPECT_EQ(parsed.error().code, ErrorCode::bad_request);
  EXPECT_EQ(parsed.error().status, 400);
  return parsed.error().message;
}

// clang-format off
constexpr std::string_view kValid[] = {
    "null", "true", "false", "0", "-0", "7", "-12.5e+3", "1E400", "0e0", "0.10", "1e-9", "\"\"",
    "[]", "{}", " \t\r\n[ ] \n", "[[[]]]", "[{}]", "{\"\":0}", "[1,2,3]", "[1 , 2]", "\"a\" ",
    "{\"a\":{\"b\":[null,true,false]}}", "{\"a\":1,\"a\":2}", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
    "\"\\u0000\\uFfFf\\ud800\"", "\"\x7f\xc3\xa9\xf4\x8f\xbf\xbf\"", "\"\\\\\"", "\"\\\\\\\"\"",
    "[\"a\" ,\"b\"\n]", "123456789012345678901234567890", "\"//\"", "[\"]\",\"}\",\",\",\":\"]",
    "\"\xe2\x80\xa8\"", "\"\xef\xbb\xbf\"", "[\" \"]", "\"a b \"",
};

constexpr std::string_view kInvalid[] = {
    // Nothing, or not one value.
    "", " ", "\n\t", "1 2", "[]]", "{}}", "[][]", "null null", "\"a\"\"b\"", "\"a\"b", "1\"a\"",
    "[],", ",", ":", "]", "}",
    // Never closed.
    "[", "{", "[1", "[1,", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "\"", "\"a", "\"\\",
    "\"\\\"",    "[\"a", "[[]", "{\"a\":{}",
    // Commas, colons and the wrong bracket.
    "[1,]", "[,1]", "[1,,2]", "[1 2]", "[1:2]", "{,}", "{\"a\":1,}", "{\"a\" 1}", "{\"a\",1}",
    "{\"a\"::1}", "{\"a\":1 \"b\":2}", "{\"a\":1:2}", "[}", "{]", "[1}", "{\"a\":1]", "{\"a\":}",
    // Names.
    "{1:2}", "{a:1}", "{'a':1}", "{null:1}", "{[]:1}", "{{}:1}", "{\"a\"}", "{\"a\":1,2}",
    // Literals.
    "nul", "nulll", "True", "tru", "truefalse", "NULL", "undefined", "NaN", "Infinity", "-Infinity",
    "[nul]", "[truf]", "n", "true\x01",
    // Numbers.
    "-", "+1", "01", "-01", "00", "1.", ".5", "1.e3", "1e", "1e+", "1e1.5",
    "0x10", "1_000", "1,000",
    "--1", "1-", "1a", "-a", "1.2.3", "1e5e5", "- 1", "1 .5", "\xef\xbc\x91",
    // Escapes.
    "\"\\x41\"", "\"\\'\"", "\"\\a\"", "\"\\0\"", "\"\\u\"", "\"\\u12\"", "\"\\u12g4\"",
    "\"\\U0041\"",
    "\"\\u00\"41\"", "\"\\ \"", "\"\\\xc3\xa9\"", "\\\"a\\\"", "[\\n]", "\\u0022a\"",
    // Control characters and other whitespace.
    "\"\n\"", "\"\t\"", "\"\x01\"", "\"\x1f\"", "[\x0b]", "[\x0c]", "\xc2\xa0[]", "\xe2\x80\xa8[]",
    // UTF-8.
    "\"\xff\"", "\"\x80\"", "\"\xc3\"", "\"\xc0\xaf\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"",
    "\"\xe0\x80\x80\"", "\"\xf8\x88\x80\x80\x80\"", "[\xff]", "\"a\xe2\x82",
    // A byte-order mark, comments, other notations.
    "\xef\xbb\xbf{}", "[1]//x", "[1]/**/", "# x\n1", "'a'", "{\"a\":'b'}", "`a`", "<a>", "(1)",
};
// clang-format on

TEST(JsonVerdict, AcceptsWhatTheRfcAllows) {
  for (const std::string_view text : kValid) EXPECT_EQ(fault(text), "") << text;
}

TEST(JsonVerdict, RefusesEverythingElse) {
  for (const std::string_view text : kInvalid) EXPECT_NE(fault(text), "") << text;
}

TEST(JsonVerdict, RefusesNul) {
  for (const std::string_view text :
       {"\0"sv, "[]\0"sv, "\0[]"sv, "\"\0\""sv, "[1,\0]"sv, "nul\0"sv, "{\0}"sv, "\"\\\0\""sv}) {
    EXPECT_NE(fault(text), "") << text;
  }
}

// The same text at every alignment to the 64-byte blocks in which it is searched.
TEST(JsonVerdict, DoesNotDependOnWhereABlockEnds) {
  for (std::size_t shift = 0; shift < 130; ++shift) {
    for (const std::string_view text : kValid) {
      EXPECT_EQ(fault(std::string(shift, ' ') + std::string(text)), "") << text << shift;
      EXPECT_EQ(fault("[\"" + std::string(shift, 'x') + "\"," + std::string(text) + "]"), "")
          << text << shift;
    }
    for (const std::string_view text : kInvalid) {
      if (text.starts_with(' ') || text.empty()) continue;
      EXPECT_NE(fault(std::string(shift, ' ') + std::string(text)), "") << text << shift;
    }
  }
}

TEST(JsonVerdict, EveryBeginningOfAnObjectIsRefused) {
  const std::string_view text = R"({"model":"a\u00e9\\","n":[1,-2.5e3,true,{"x":null}],"s":"caf)"
                                "\xc3\xa9"
                                R"("})";
  ASSERT_EQ(fault(text), "");
  for (std::size_t n = 0; n < text.size(); ++n) EXPECT_NE(fault(text.substr(0, n)), "") << n;
}

TEST(JsonVerdict, SaysWhatAndWhere) {
  EXPECT_EQ(fault(R"({"a":1 "b":2})"), "invalid JSON at byte 7: expected ',' or '}'");
  EXPECT_EQ(fault("[1 2]"), "invalid JSON at byte 3: expected ',' or ']'");
  EXPECT_EQ(fault("[1,]"), "invalid JSON at byte 3: expected a value");
  EXPECT_EQ(fault("{1:2}"), "invalid JSON at byte 1: expected a name or '}'");
  EXPECT_EQ(fault(R"({"a" 1})"), "invalid JSON at byte 5: expected ':'");
  EXPECT_EQ(fault("[\n"), "invalid JSON at byte 2: the text ends inside a value");
  EXPECT_EQ(fault("  "), "invalid JSON at byte 2: no value");
  EXPECT_EQ(fault("[] []"), "invalid JSON at byte 3: text after the value");
  EXPECT_EQ(fault("[1,02]"), "invalid JSON at byte 3: invalid number");
  EXPECT_EQ(fault(R"(["a","\q"])"), "invalid JSON at byte 6: invalid escape");
  EXPECT_EQ(fault(R"(["a","\u00g0"])"), "invalid JSON at byte 6: invalid escape");
  EXPECT_EQ(fault("[\"a\",\"b\nc\"]"), "invalid JSON at byte 7: control character in a string");
  EXPECT_EQ(fault("[\"a\",\"b]"), "invalid JSON at byte 5: string without an end");
  EXPECT_EQ(fault("[\"abc\xff\"]"), "invalid JSON at byte 5: invalid UTF-8");
  const std::string long_text = "[\"" + std::string(1000, 'x') + "\xc3\xa9\xed\xa0\x80\"]";
  EXPECT_EQ(fault(long_text), "invalid JSON at byte 1004: invalid UTF-8");
}

TEST(JsonVerdict, BoundsDepth) {
  const auto nested = [](std::size_t depth, std::string_view open, std::string_view shut) {
    std::string text;
    for (std::size_t i = 0; i < depth; ++i) text += open;
    text += "0";
    for (std::size_t i = 0; i < depth; ++i) text += shut;
    return text;
  };
  EXPECT_EQ(fault(nested(kJsonDepthMax, "[", "]")), "");
  EXPECT_EQ(fault(nested(kJsonDepthMax, "{\"a\":", "}")), "");
  EXPECT_EQ(fault(nested(kJsonDepthMax + 1, "[", "]")),
            "invalid JSON at byte 128: nested too deeply");
  EXPECT_NE(fault(nested(kJsonDepthMax + 1, "{\"a\":", "}")), "");
  EXPECT_NE(fault(std::string(1'000'000, '[')), "");
}

TEST(JsonVerdict, BoundsTokens) {
  std::string text = "[";
  while (text.size() < kJsonTokensMax) text += "0,";
  EXPECT_EQ(fault(text + "0]"), "invalid JSON at byte 8388608: too many values");
  text.resize(text.size() - 4);
  EXPECT_EQ(fault(text + "0]"), "");
}

TEST(JsonVerdict, RefusesDuplicateNamesAtTheTopLevel) {
  const auto strict = [](std::string_view text) {
    return fault(text, DuplicateKeys::refuse_top_level);
  };
  EXPECT_EQ(strict(R"({"a":1,"b":2,"aa":3,"":4})"), "");
  EXPECT_EQ(strict(R"({"x":{"a":1,"a":2},"y":[{"b":1,"b":2}]})"), "");
  EXPECT_EQ(strict(R"([{"a":1,"a":2}])"), "");
  EXPECT_EQ(strict("[1,1]"), "");
  EXPECT_EQ(strict(R"({"a":1,"b":2,"a":3})"),
            "invalid JSON at byte 13: duplicate name at the top level");
  EXPECT_NE(strict(R"({"model":1,"mod\u0065l":2})"), "");
  EXPECT_NE(strict(R"({"\u006dodel":1,"mod\u0065l":2})"), "");
  EXPECT_NE(strict(R"({"a\/b":1,"a/b":2})"), "");
  EXPECT_NE(strict(R"({"\ud83c\udf0d":1,")"
                   "\xf0\x9f\x8c\x8d"
                   R"(":2})"),
            "");
  EXPECT_NE(strict(R"({"":1,"":2})"), "");
  EXPECT_EQ(strict(R"({"a":1,"A":2,"a ":3,"\\u0061":4})"), "");
}

// The page behind the text cannot be read.
// Few names are compared with each other, many are sorted: both find a pair wherever it stands.
TEST(JsonVerdict, RefusesDuplicateNamesAmongFewAndMany) {
  for (const std::size_t count :
       {std::size_t{2}, std::size_t{15}, std::size_t{16}, std::size_t{17}, std::size_t{40}}) {
    for (std::size_t twice = 0; twice + 1 < count; ++twice) {
      std::string distinct = "{";
      std::string repeated = "{";
      for (std::size_t i = 0; i < count; ++i) {
        const std::string comma = i == 0 ? "\"" : ",\"";
        distinct += comma + "name" + std::to_string(i) + "\":1";
        const bool last = i + 1 == count;
        repeated += comma + "name" + std::to_string(last ? twice : i) + "\":1";
      }
      Document document;
      ASSERT_TRUE(document.parse(distinct + "}", DuplicateKeys::refuse_top_level)) << distinct;
      ASSERT_FALSE(document.parse(repeated + "}", DuplicateKeys::refuse_top_level)) << repeated;
    }
  }
}

TEST(JsonVerdict, ReadsNoByteBeyondTheText) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  void* memory =
      ::mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  char* wall = static_cast<char*>(memory) + page;
  ASSERT_EQ(::mprotect(wall, page, PROT_NONE), 0);
  const auto parse_at_wall = [wall](std::string_view text) {
    std::memcpy(wall - text.size(), text.data(), text.size());
    return fault({wall - text.size(), text.size()});
  };
  for (const std::string_view text : kValid) EXPECT_EQ(parse_at_wall(text), "");
  for (const std::string_view text : kInvalid) EXPECT_NE(parse_at_wall(text), "");
  for (std::size_t n = 0; n < 200; ++n)
    EXPECT_EQ(parse_at_wall("\"" + std::string(n, 'x') + "\""), "");
  ::munmap(memory, 2 * page);
}

TEST(JsonValue, GivesRawTokensAndTheirPlaces) {
  const std::string_view text = R"( {"a": "x\n", "b" : [ 1 , {"c":null} ] , "d":true} )";
  Document document;
  ASSERT_TRUE(document.parse(text));
  const Value root = document.root();
  EXPECT_EQ(root.raw(), text.substr(1, text.size() - 2));
  EXPECT_EQ(root.offset(), 1u);
  EXPECT_EQ(root.size(), 3u);
  EXPECT_EQ(root["a"].raw(), R"("x\n")");
  EXPECT_EQ(root["a"].text().escaped, "x\\n");
  EXPECT_TRUE(root["a"].equals("x\n"));
  EXPECT_EQ(root["b"].raw(), R"([ 1 , {"c":null} ])");
  EXPECT_EQ(root["b"].json().json, root["b"].raw());
  EXPECT_EQ(root["b"].size(), 2u);
  EXPECT_EQ(root["b"].offset(), text.find('['));
  EXPECT_TRUE(root["b"].first().next()["c"].is_null());
  EXPECT_EQ(root["d"].boolean(), true);
}

TEST(JsonValue, WalksMembersInOrder) {
  Document document;
  ASSERT_TRUE(document.parse(R"({"a":[],"b":{},"\u0063":[[1],[2,3]],"":0})"));
  std::string seen;
  for (Value v = document.root().first(); v; v = v.next()) {
    seen += std::string(v.key().escaped) + "=" + std::string(v.raw()) + ";";
  }
  EXPECT_EQ(seen, R"(a=[];b={};\u0063=[[1],[2,3]];=0;)");
  const Value third = document.root()["c"];
  EXPECT_TRUE(third.key_is("c"));
  EXPECT_FALSE(third.key_is("d"));
  EXPECT_FALSE(third.first().key_is(""));
  EXPECT_TRUE(document.root()[""].key_is(""));
  EXPECT_TRUE(third.first().key().empty());
  EXPECT_FALSE(third.first().next().next());
  EXPECT_FALSE(document.root()["a"].first());
  EXPECT_FALSE(document.root()["b"].first());
  EXPECT_FALSE(document.root().next());
}

TEST(JsonValue, FindsMembersByUnescapedName) {
  Document document;
  ASSERT_TRUE(document.parse(R"({"x":{"a":1,"\u0061":2,"b\\":3,"a":4,"c":5}})"));
  const Value x = document.root()["x"];
  EXPECT_EQ(x["a"].raw(), "4");
  EXPECT_EQ(x["b\\"].raw(), "3");
  EXPECT_FALSE(x["b\\\\"]);
  EXPECT_FALSE(x["\\u0061"]);
  EXPECT_FALSE(x["z"]);
  EXPECT_FALSE(x["a"]["b"]["c"]);
}

TEST(JsonValue, AbsentAndForeignReadsAreEmpty) {
  Document document;
  EXPECT_FALSE(document.root());
  ASSERT_TRUE(document.parse("[null]"));
  const Value null = document.root().first();
  EXPECT_TRUE(null.is_null());
  EXPECT_FALSE(Value().is_null());
  for (const Value v : {Value(), null}) {
    EXPECT_FALSE(v.first());
    EXPECT_FALSE(v.next());
    EXPECT_FALSE(v["a"]);
    EXPECT_FALSE(v.equals(""));
    EXPECT_FALSE(v.integer() || v.number() || v.boolean());
    EXPECT_TRUE(v.text().empty() && v.key().empty());
    EXPECT_EQ(v.size(), 0u);
  }
  EXPECT_EQ(Value().raw(), "");
  EXPECT_EQ(Value().offset(), 0u);
}

TEST(JsonValue, StringsCompareUnescaped) {
  Document document;
  ASSERT_TRUE(document.parse(R"(["a\u0062c","abc","","\ud83c\udf0d","\\"])"));
  const Value first = document.root().first();
  EXPECT_TRUE(first.equals("abc"));
  EXPECT_FALSE(first.equals("a\\u0062c"));
  EXPECT_TRUE(first.next().equals("abc"));
  EXPECT_FALSE(first.next().equals("ab"));
  EXPECT_FALSE(first.next().equals("abcd"));
  EXPECT_TRUE(first.next().next().equals(""));
  EXPECT_TRUE(first.next().next().next().equals("\xf0\x9f\x8c\x8d"));
  EXPECT_TRUE(first.next().next().next().next().equals("\\"));
}

TEST(Document, IsReusedAndForgetsOnFailure) {
  Document document;
  const std::string large = "[" + std::string(3'000'000, ' ') + "7]";
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(document.parse(R"({"a":1})"));
    EXPECT_EQ(document.root()["a"].raw(), "1");
    ASSERT_TRUE(document.parse(large));
    EXPECT_EQ(document.root().first().raw(), "7");
    ASSERT_FALSE(document.parse("[1"));
    EXPECT_FALSE(document.root());
    ASSERT_TRUE(document.parse("3"));
    document.clear();
    EXPECT_FALSE(document.root());
  }
}

TEST(Document, RefusesATextTooLarge) {
  // The bytes are not looked at.
  const std::string_view text("[]", kJsonBytesMax + 1);
  Document document;
  const auto parsed = document.parse(text);
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code, ErrorCode::too_large);
  EXPECT_EQ(parsed.error().status, 413);
}

}  // namespace
}  // namespace nl::dialect
