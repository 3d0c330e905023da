#include "standby/prompt.h"

#include <gtest/gtest.h>

namespace nl::standby {
namespace {

std::string body(const std::string& messages, const std::string& rest = R"("tools":[{"a":1}])") {
  return R"({"model":"m","messages":[)" + messages + "]," + rest + "}";
}

const std::string kFirst = R"({"role":"user","content":"a"})";
const std::string kSecond = R"({"role":"assistant","content":"b"})";

Prompt prompt(const std::string& text) {
  return *Prompt::of(text);
}

TEST(Prompt, BeginsWithWhatItRepeatsWholeMessagesAtATime) {
  const Mark first = prompt(body(kFirst)).mark();
  EXPECT_TRUE(prompt(body(kFirst + "," + kSecond)).begins_with(first));
  EXPECT_TRUE(prompt(body(kFirst)).begins_with(first));
  EXPECT_TRUE(prompt(body(kFirst)).begins_with(prompt(body("")).mark()));
  EXPECT_FALSE(prompt(body("")).begins_with(first));
  EXPECT_FALSE(prompt(body(kSecond + "," + kFirst)).begins_with(first));
}

TEST(Prompt, AnotherModelToolOrThinkingFlagIsAnotherPrompt) {
  const Mark mark = prompt(body(kFirst)).mark();
  for (const char* rest :
       {R"("tools":[{"a":2}])", R"("x":1)",
        R"("tools":[{"a":1}],"chat_template_kwargs":{"enable_thinking":true})",
        R"("tools":[{"a":1}],"think":true)", R"("tools":[{"a":1}],"options":{"num_ctx":8192})",
        R"("tools":[{"a":1}],"reasoning_effort":"none")"}) {
    EXPECT_FALSE(prompt(body(kFirst, rest)).begins_with(mark)) << rest;
  }
  for (const char* rest :
       {R"("tools":[{"a":1}],"max_tokens":5)", R"("tools":[{"a":1}],"temperature":1)",
        R"("tools":[{"a":1}],"add_generation_prompt":false)"}) {
    EXPECT_TRUE(prompt(body(kFirst, rest)).begins_with(mark)) << rest;
  }
}

TEST(Prompt, ItsPrefixIsTheSystemMessageAndTheToolsInTheSameBytes) {
  const std::string system = R"({"role":"system","content":"s"})";
  const Prompt whole = prompt(body(system + "," + kFirst));
  const Prompt prefix = whole.prefix();
  EXPECT_EQ(prefix.body(), body(system));
  EXPECT_EQ(prefix.mark(), prompt(body(system)).mark());
  EXPECT_TRUE(whole.begins_with(prefix.mark()));
  EXPECT_EQ(prompt(body(system)).prefix().body(), body(system));
  EXPECT_TRUE(prompt(body(kFirst)).prefix().mark().empty());
  EXPECT_TRUE(Prompt().prefix().mark().empty());
}

TEST(Prompt, KeepsItsMarkWithoutItsText) {
  Prompt kept = prompt(body(kFirst));
  const Mark mark = kept.mark();
  kept.drop_body();
  EXPECT_TRUE(kept.begins_with(mark));
  EXPECT_FALSE(kept.begins_with(prompt(body("")).mark()));
}

TEST(Prompt, RefusesWhatHasNoMessages) {
  EXPECT_FALSE(Prompt::of("{}").has_value());
  EXPECT_FALSE(Prompt::of("{").has_value());
}

}  // namespace
}  // namespace nl::standby
