#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "dialect/openai_chat.h"

namespace nl::dialect {
namespace {

std::string splice(std::string_view body, std::string_view model, std::string_view extra = "") {
  Document document;
  EXPECT_TRUE(document.parse(body));
  return OpenAiChat().splice(document, {std::string(model), ClientMarks::keep, std::string(extra)});
}

std::string rename(std::string_view stream, std::string_view id, std::string_view model = "") {
  SseFramer framer;
  EXPECT_TRUE(framer.feed(stream));
  std::string out;
  while (const auto frame = framer.next()) {
    OpenAiChat().append_renamed(*frame, {std::string(id), std::string(model)}, out);
  }
  return out;
}

TEST(OpenAiChatSplice, OnlyTheModelsNameChanges) {
  EXPECT_EQ(splice(R"( {"a" : "\u0041", "model":"old" ,"messages":[ ]})", "n\"ew"),
            R"({"a" : "\u0041", "model":"n\"ew" ,"messages":[ ]})");
  EXPECT_EQ(splice(R"({"x":{"model":"inner"},"model":"old"})", "new"),
            R"({"x":{"model":"inner"},"model":"new"})");
}

TEST(OpenAiChatSplice, MembersAreAddedAtTheEnd) {
  EXPECT_EQ(splice(R"({"model":"old"})", "new", R"("provider":{"a":1})"),
            R"({"model":"new","provider":{"a":1}})");
}

TEST(OpenAiChatSplice, WhatTheClientSaysItselfHolds) {
  EXPECT_EQ(splice(R"({"model":"old","provider":{"b":2}})", "new",
                   R"("provider":{"a":1},"usage":{"include":true})"),
            R"({"model":"new","provider":{"b":2},"usage":{"include":true}})");
}

TEST(OpenAiChatRename, TheTopLevelNamesAreReplacedInEveryChunk) {
  EXPECT_EQ(rename("data: {\"id\":\"a\", \"x\":{\"id\":\"b\",\"model\":\"c\"},\"model\" : "
                   "\"d\\\"e\",\"choices\":[{\"delta\":{\"content\":\"\\\"id\\\":\"}}]}\r\n\r\n",
                   "I", "M"),
            "data: {\"id\":\"I\", \"x\":{\"id\":\"b\",\"model\":\"c\"},\"model\" : "
            "\"M\",\"choices\":[{\"delta\":{\"content\":\"\\\"id\\\":\"}}]}\r\n\r\n");
}

// Both names count, wherever they stand, and what a broken upstream repeats is not hunted down.
TEST(OpenAiChatRename, WhatIsBehindTheLastNamePassesAsItIs) {
  EXPECT_EQ(rename("data: {\"model\":\"m\",\"choices\":[{\"id\":\"x\"}],\"id\":\"a\",\"z\":1}\n\n",
                   "I", "M"),
            "data: {\"model\":\"M\",\"choices\":[{\"id\":\"x\"}],\"id\":\"I\",\"z\":1}\n\n");
  EXPECT_EQ(rename("data: {\"model\":\"m\",\"a\":\"\\\"}],\",\"model\":\"n\"}\n\n", "", "M"),
            "data: {\"model\":\"M\",\"a\":\"\\\"}],\",\"model\":\"n\"}\n\n");
}

TEST(OpenAiChatRename, ARepeatedNameDoesNotHideTheOther) {
  EXPECT_EQ(rename("data: {\"id\":\"a\",\"id\":\"b\",\"model\":\"m\"}\n\n", "I", "M"),
            "data: {\"id\":\"I\",\"id\":\"I\",\"model\":\"M\"}\n\n");
}

TEST(OpenAiChatRename, AnEmptyNameKeepsWhatIsThere) {
  EXPECT_EQ(rename("data: {\"id\":\"a\",\"model\":\"m\"}\n\n", "", "M"),
            "data: {\"id\":\"a\",\"model\":\"M\"}\n\n");
  EXPECT_EQ(rename("data: {\"id\":\"a\"}\n\n", ""), "data: {\"id\":\"a\"}\n\n");
}

TEST(OpenAiChatRename, QuotesAndBackslashesInsideStringsEndNothing) {
  const std::string chunk =
      R"(data: {"a":"x\\\"model\":\\","b":"\\\\","model":"m","choices":[{"model":"\"in\\"}]})"
      "\n\n";
  const std::string renamed =
      R"(data: {"a":"x\\\"model\":\\","b":"\\\\","model":"new","choices":[{"model":"\"in\\"}]})"
      "\n\n";
  EXPECT_EQ(rename(chunk, "", "new"), renamed);
}

TEST(OpenAiChatRename, EverythingElsePassesAsItIs) {
  for (const char* frame :
       {"data: [DONE]\n\n", ": OPENROUTER PROCESSING\n\n", "data: {\"choices\":[]}\n\n",
        "data: {\"id\":3}\n\n", "event: x\nid: 7\ndata: {\"error\":{\"id\":\"a\"}}\n\n"}) {
    EXPECT_EQ(rename(frame, "I", "M"), frame);
  }
}

TEST(OpenAiChatRename, SeveralDataLinesBecomeOne) {
  EXPECT_EQ(rename("data: {\ndata: \"id\":\"a\"\ndata: }\n\n", "I"), "data: { \"id\":\"I\" }\n\n");
}

TEST(OpenAiChatRename, AnyBytesAreSafeToWalk) {
  for (const char* data :
       {"{\"", "{\"\\", "{\"id\":\"", "{\"id\":\"\\", "{\"id\"", "{}}}", "{]]\"id\""}) {
    EXPECT_FALSE(rename(std::string("data: ") + data + "\n\n", "I", "M").empty());
  }
}

}  // namespace
}  // namespace nl::dialect
