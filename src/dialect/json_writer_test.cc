#include "dialect/json_writer.h"

#include <gtest/gtest.h>

#include <string>

#include "dialect/json.h"

namespace nl::dialect {
namespace {

TEST(JsonWriter, PutsCommasWhereTheyBelong) {
  std::string out = "data: ";
  JsonWriter json(out);
  json.begin_object().string("a", "x\"y").integer("b", -7).key("c").begin_array();
  json.integer(1).string("2").begin_object().end_object().null().end_array();
  json.number("d", 0.5).boolean("e", true).key("f").begin_array().end_array().end_object();
  EXPECT_EQ(out, R"(data: {"a":"x\"y","b":-7,"c":[1,"2",{},null],"d":0.5,"e":true,"f":[]})");
}

TEST(JsonWriter, CopiesEscapedTextAndRawValues) {
  std::string out;
  JsonWriter(out)
      .begin_object()
      .text("t", {R"(a\u0041)"})
      .raw("r", {R"({"k":[1 , 2]})"})
      .end_object();
  EXPECT_EQ(out, R"({"t":"a\u0041","r":{"k":[1 , 2]}})");
}

TEST(JsonWriter, AddsWholeMembers) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().members("").members(R"("a":1,"b":2)").integer("c", 3).end_object();
  EXPECT_EQ(out, R"({"a":1,"b":2,"c":3})");
}

TEST(JsonWriter, WritesNumbersThatParse) {
  for (const double value : {0.0, 1.0, 0.1, 1e-7, 1e21, -2.5}) {
    std::string out;
    JsonWriter(out).number(value);
    Document document;
    ASSERT_TRUE(document.parse(out)) << out;
    EXPECT_EQ(document.root().number(), value);
  }
}

TEST(RepairSurrogates, ReplacesHalvesAlone) {
  EXPECT_EQ(repair_surrogates(R"("\ud83d\ude00")"), R"("\ud83d\ude00")");
  EXPECT_EQ(repair_surrogates(R"("\ud83d")"), R"("\ufffd")");
  EXPECT_EQ(repair_surrogates(R"("\ude00\ud83dx")"), R"("\ufffd\ufffdx")");
  EXPECT_EQ(repair_surrogates(R"("\ud83d\ud83d\ude00")"), R"("\ufffd\ud83d\ude00")");
  EXPECT_EQ(repair_surrogates(R"("\ud83d\n\\ud83d")"), R"("\ufffd\n\\ud83d")");
}

}  // namespace
}  // namespace nl::dialect
