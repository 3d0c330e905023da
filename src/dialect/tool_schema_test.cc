#include "dialect/tool_schema.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "dialect/json.h"

namespace nl::dialect {
namespace {

constexpr std::string_view kSchema = R"({"type":"object","properties":{
  "command":{"type":"string"},"timeout":{"type":"integer"},"ratio":{"type":"number"},
  "force":{"type":"boolean"},"files":{"type":"array","items":{"type":"string"}},
  "mode":{"type":"string","enum":["read_only","Write","append"]},
  "level":{"enum":[1,2,3]},"edit":{"type":"object","properties":{"old_text":{"type":"string"}},
  "required":["old_text"],"additionalProperties":false},
  "note":{"type":["string","null"]},"either":{"anyOf":[{"type":"integer"},{"type":"array",
  "items":{"type":"integer"}}]}},"required":["command"],"additionalProperties":false})";

// What `arguments` become: as they stand, "=> new", or "! why not".
std::string fitted(std::string_view arguments, std::string_view schema = kSchema) {
  const auto made = fit_arguments({schema}, arguments);
  if (!made) return "! " + made.error().message;
  if (made->fit == Fit::as_stated) return made->json;
  return "=> " + made->json;
}

// `value` as member `name` beside the required one.
std::string member(std::string_view name, std::string_view value) {
  std::string with = R"({"command":"x",")";
  with.append(name).append("\":").append(value).append("}");
  std::string made = fitted(with);
  if (made == with) return std::string(value);
  const std::string head = "=> {\"command\":\"x\",\"" + std::string(name) + "\":";
  if (!made.starts_with(head)) return made;
  return "=> " + made.substr(head.size(), made.size() - head.size() - 1);
}

TEST(ToolSchema, LeavesWhatFitsByteForByte) {
  for (const std::string_view stated :
       {R"({"command":"ls"})", R"( {"command" : "a\u00e4\n" , "timeout":3.0, "force":false} )",
        R"({"command":"","files":[],"note":null,"either":[1,2],"level":2,"ratio":-1e3})"}) {
    EXPECT_EQ(fitted(stated), stated);
  }
}

TEST(ToolSchema, ScalarsOfTheWrongTypeAreTurned) {
  EXPECT_EQ(member("timeout", R"("3")"), "=> 3");
  EXPECT_EQ(member("timeout", R"(" -3 ")"), "=> -3");
  EXPECT_EQ(member("ratio", R"("0.5")"), "=> 0.5");
  EXPECT_EQ(member("force", R"("True")"), "=> true");
  EXPECT_EQ(member("force", R"("false")"), "=> false");
  EXPECT_EQ(fitted(R"({"command":3})"), R"(=> {"command":"3"})");
  EXPECT_EQ(member("timeout", "[5]"), "=> 5");
  EXPECT_EQ(member("level", R"("2")"), "=> 2");
}

TEST(ToolSchema, WhatWouldBeAGuessIsRefused) {
  EXPECT_EQ(member("timeout", "3.5"), "! timeout: must be integer");
  EXPECT_EQ(member("timeout", R"("soon")"), "! timeout: must be integer");
  EXPECT_EQ(member("timeout", R"("3 s")"), "! timeout: must be integer");
  EXPECT_EQ(member("timeout", "[1,2]"), "! timeout: must be integer");
  EXPECT_EQ(member("force", "1"), "! force: must be boolean");
  EXPECT_EQ(member("force", R"("yes")"), "! force: must be boolean");
  EXPECT_EQ(fitted(R"({"command":["ls","-l"]})"), "! command: must be string");
  EXPECT_EQ(fitted(R"({"command":{"a":1}})"), "! command: must be string");
  EXPECT_EQ(fitted(R"({"command":null})"), "! command: must be string");
  EXPECT_EQ(member("level", R"("-2")"), "! level: must be one of [1,2,3]");
}

TEST(ToolSchema, ListsAndObjects) {
  EXPECT_EQ(member("files", R"("a.txt")"), R"(=> ["a.txt"])");
  EXPECT_EQ(member("files", R"("[\"a\",\"b\"]")"), R"(=> ["a","b"])");
  EXPECT_EQ(member("files", "[1,true]"), R"(=> ["1","true"])");
  EXPECT_EQ(member("edit", R"("{\"old_text\":\"x\"}")"), R"(=> {"old_text":"x"})");
  EXPECT_EQ(member("edit", R"({"oldText":"x"})"), R"(=> {"old_text":"x"})");
  EXPECT_EQ(member("edit", R"({"new":"x"})"), "! edit.new: is no argument of this tool");
  EXPECT_EQ(member("edit", "{}"), "! edit.old_text: is missing");
  EXPECT_EQ(member("files", R"([["a","b"]])"), "! files.[0]: must be string");
}

TEST(ToolSchema, NamesThatDifferByCaseOrUnderscore) {
  EXPECT_EQ(fitted(R"({"Command":"ls"})"), R"(=> {"command":"ls"})");
  EXPECT_EQ(fitted(R"({"COM-MAND":"ls"})"), R"(=> {"command":"ls"})");
  EXPECT_EQ(fitted(R"({"command":"ls","Command":"rm"})"), "! Command: is no argument of this tool");
  EXPECT_EQ(fitted(R"({"Command":"ls","COMMAND":"rm"})"), "! COMMAND: is stated twice");
  EXPECT_EQ(member("mode", R"("readOnly")"), R"(=> "read_only")");
  EXPECT_EQ(member("mode", R"("delete")"),
            R"(! mode: must be one of ["read_only","Write","append"])");
}

TEST(ToolSchema, MissingAndUnknownAreRefusedAndNullIsLeftOut) {
  EXPECT_EQ(fitted("{}"), "! command: is missing");
  EXPECT_EQ(fitted(""), "! command: is missing");
  EXPECT_EQ(member("dry_run", "true"), "! dry_run: is no argument of this tool");
  EXPECT_EQ(fitted(R"({"command":"x","timeout":null})"), R"(=> {"command":"x"})");
  EXPECT_EQ(fitted(R"({"a whole sentence":"x"})"),
            "! a whole sentence: is no argument of this tool");
  EXPECT_EQ(fitted(R"({"command":"a","command":"b"})"), R"(=> {"command":"b"})");
}

TEST(ToolSchema, TheWholeMayBeAStringOrNoJson) {
  EXPECT_EQ(fitted(R"("{\"command\":\"ls\"}")"), R"(=> {"command":"ls"})");
  EXPECT_EQ(fitted(R"({"command":"l)"), "! the arguments are no JSON");
  EXPECT_EQ(fitted("[1]"), "! the arguments are no object");
  EXPECT_EQ(fitted(R"("x")"), "! the arguments are no object");
  EXPECT_EQ(fitted("", ""), "{}");
  EXPECT_EQ(fitted(R"({"any":1})", "not json"), R"({"any":1})");
}

TEST(ToolSchema, AlternativesTakeTheOneThatFitsAsStated) {
  EXPECT_EQ(member("either", "4"), "4");
  EXPECT_EQ(member("either", R"("4")"), "=> 4");
  EXPECT_EQ(member("either", R"(["4",5])"), "=> [4,5]");
  EXPECT_EQ(member("either", R"("x")"), "! either: fits none of the ways that its schema allows");
}

TEST(ToolSchema, ReferencesAreFollowedAndLoopsEnd) {
  constexpr std::string_view kTree = R"({"$defs":{"node":{"type":"object","properties":{
    "n":{"type":"integer"},"next":{"$ref":"#/$defs/node"}}}},"$ref":"#/$defs/node"})";
  EXPECT_EQ(fitted(R"({"n":"1","next":{"n":2,"next":{"n":"3"}}})", kTree),
            R"(=> {"n":1,"next":{"n":2,"next":{"n":3}}})");
  EXPECT_EQ(fitted(R"({"a":1})", R"({"$ref":"#"})"), R"({"a":1})");
  EXPECT_EQ(fitted(R"({"a":1})", R"({"$ref":"http://elsewhere"})"), R"({"a":1})");
  std::string ways = R"({"$ref":"#"})";
  for (int i = 0; i < 5; ++i) ways = R"({"anyOf":[)" + ways + "," + ways + "," + ways + "]}";
  EXPECT_EQ(fitted(R"({"a":1})", ways), R"({"a":1})");
}

// Values and schemas at random: what comes out is JSON, fits as it stands, and changes no more.
class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}

  std::string value(int depth) {
    switch (pick(depth > 0 ? 9 : 7)) {
      case 0:
        return "null";
      case 1:
        return pick(2) == 0 ? "true" : "false";
      case 2:
        return std::to_string(static_cast<int>(pick(40)) - 20);
      case 3:
        return std::to_string(pick(9)) + "." + std::to_string(pick(9));
      case 4:
        return "\"" + std::to_string(pick(30)) + "\"";
      case 5:
        return "\"" + words_[pick(words_.size())] + "\"";
      case 6:
        return "\"" + chat::escape(depth > 0 ? value(depth - 1) : "{}") + "\"";
      case 7: {
        std::string list = "[";
        for (std::size_t i = pick(3); i > 0; --i) list += value(depth - 1) + (i > 1 ? "," : "");
        return list + "]";
      }
      default:
        return object(depth);
    }
  }

  std::string object(int depth) {
    std::string made = "{";
    for (std::size_t i = pick(4); i > 0; --i) {
      made += "\"" + words_[pick(words_.size())] + "\":" + value(depth - 1) + (i > 1 ? "," : "");
    }
    return made + "}";
  }

  std::string schema(int depth) {
    static const std::vector<std::string> kTypes = {"string", "integer", "number", "boolean",
                                                    "null",   "array",   "object"};
    switch (pick(depth > 0 ? 7 : 3)) {
      case 0:
        return "{}";
      case 1:
        return R"({"enum":[)" + value(0) + "," + value(0) + "]}";
      case 2:
        return R"({"type":")" + kTypes[pick(5)] + "\"}";
      case 3:
        return R"({"type":[")" + kTypes[pick(7)] + R"(",")" + kTypes[pick(7)] + R"("]})";
      case 4:
        return R"({"type":"array","items":)" + schema(depth - 1) + "}";
      case 5:
        return R"({"anyOf":[)" + schema(depth - 1) + "," + schema(depth - 1) + "]}";
      default:
        return object_schema(depth);
    }
  }

  std::string object_schema(int depth) {
    std::string made = R"({"type":"object","properties":{)";
    for (std::size_t i = 0; i < 3; ++i) {
      made += "\"" + words_[i] + "\":" + schema(depth - 1) + (i < 2 ? "," : "");
    }
    made += "}";
    if (pick(2) == 0) made += R"(,"required":[")" + words_[pick(3)] + "\"]";
    if (pick(2) == 0) made += R"(,"additionalProperties":false)";
    return made + "}";
  }

 private:
  std::size_t pick(std::size_t below) { return engine_() % below; }

  std::minstd_rand engine_;
  std::vector<std::string> words_ = {"path", "old_text", "count", "OldText", "PATH", "x y", ""};
};

TEST(ToolSchema, RandomValuesComeOutFitting) {
  int repaired = 0;
  for (unsigned seed = 1; seed <= 20'000; ++seed) {
    Random random(seed);
    const std::string schema = random.object_schema(3);
    const std::string stated = random.object(4);
    const auto made = fit_arguments({schema}, stated);
    if (!made) continue;
    if (made->fit == Fit::repaired) ++repaired;
    Document document;
    ASSERT_TRUE(document.parse(made->json)) << stated << "\n" << schema;
    const auto again = fit_arguments({schema}, made->json);
    ASSERT_TRUE(again) << stated << "\n"
                       << schema << "\n"
                       << made->json << "\n"
                       << again.error().message;
    EXPECT_EQ(again->fit, Fit::as_stated) << stated << "\n" << schema << "\n" << made->json;
    EXPECT_EQ(again->json, made->json);
  }
  EXPECT_GT(repaired, 500);
}

TEST(ToolSchema, AnyBytesAreTakenWithoutHarm) {
  std::minstd_rand engine(7);
  const std::string schema(kSchema);
  const std::string sound = R"({"command":"ls","files":["a"],"edit":{"old_text":"x"},"level":"2"})";
  for (int i = 0; i < 5'000; ++i) {
    std::string arguments = sound;
    std::string declared = schema;
    for (int edits = 0; edits < 3; ++edits) {
      arguments[engine() % arguments.size()] = static_cast<char>(engine() % 128);
      if (i % 2 == 0) declared[engine() % declared.size()] = static_cast<char>(engine() % 128);
    }
    const auto made = fit_arguments({declared}, arguments);
    Document document;
    EXPECT_TRUE(!made || document.parse(made->json)) << arguments;
  }
}

TEST(ToolSchema, KnowsASchemaThatEveryVendorTakes) {
  const auto complete = [](std::string_view json) {
    Document document;
    return document.parse(json).has_value() && is_complete_schema(document.root());
  };
  EXPECT_TRUE(complete(R"({"type":"object","properties":{}})"));
  EXPECT_TRUE(complete(R"({"properties":{"a":{}},"required":["a"],"type":"object"})"));
  EXPECT_FALSE(complete(R"({"type":"object"})"));
  EXPECT_FALSE(complete(R"({"properties":{}})"));
  EXPECT_FALSE(complete(R"({"type":["object"],"properties":{}})"));
  EXPECT_FALSE(complete(R"({"type":"object","properties":[]})"));
  EXPECT_FALSE(complete("true"));
}

}  // namespace
}  // namespace nl::dialect
