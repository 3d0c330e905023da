// The client's side of the dialect: splice, renaming and the writer's beginnings and ends.
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "dialect/ollama.h"
#include "dialect/stream_outcome.h"

namespace nl::dialect {
namespace {

SseFrame frame_of(std::string_view raw) {
  SseFrame frame;
  frame.raw = raw;
  frame.data = raw.substr(0, raw.find_last_not_of("\r\n") + 1);
  return frame;
}

class OllamaClient : public testing::Test {
 protected:
  std::string renamed(std::string_view raw, const Renaming& names) {
    std::string out;
    dialect_.append_renamed(frame_of(raw), names, out);
    return out;
  }
  std::unique_ptr<Writer> writer() {
    AnswerContext context;
    context.model = "asked";
    return dialect_.make_writer(std::move(context));
  }

  Ollama dialect_;
};

TEST_F(OllamaClient, RenamesTheModelOfALineAndNothingElse) {
  EXPECT_EQ(renamed("{\"a\":{\"model\":\"x\"},\"model\":\"x\",\"b\": 1}\r\n", {"id", "new"}),
            "{\"a\":{\"model\":\"x\"},\"model\":\"new\",\"b\": 1}\n");
  EXPECT_EQ(renamed("{\"model\":\"x\"}\n", {"id", ""}), "{\"model\":\"x\"}\n");
  EXPECT_EQ(renamed("{\"error\":\"x\"}\n", {"", "new"}), "{\"error\":\"x\"}\n");
}

TEST_F(OllamaClient, KnowsTheLastLineByItsOwnMemberAlone) {
  EXPECT_TRUE(dialect_.closes_answer(frame_of("{\"done\": true}\n")));
  EXPECT_FALSE(dialect_.closes_answer(frame_of("{\"done\":false}\n")));
  EXPECT_FALSE(dialect_.closes_answer(frame_of("{\"a\":{\"done\":true}}\n")));
  EXPECT_FALSE(dialect_.closes_answer(frame_of("{\"a\":\"\\\"done\\\":true\"}\n")));
  EXPECT_FALSE(dialect_.opens_answer(frame_of("{\"done\":false}\n")));
  EXPECT_EQ(dialect_.terminator(), "");
}

TEST_F(OllamaClient, FillerIsALineWithNothingInIt) {
  std::string out;
  writer()->filler(out);
  EXPECT_EQ(out,
            "{\"model\":\"asked\",\"created_at\":\"1970-01-01T00:00:00Z\",\"message\":"
            "{\"role\":\"assistant\",\"content\":\"\"},\"done\":false}\n");
}

TEST_F(OllamaClient, AnErrorNeverLooksLikeAnEnd) {
  std::string out;
  const auto made = writer();
  made->filler(out);
  made->error(Error(ErrorCode::truncated, "it \"broke\"", 502), out);
  const StreamOutcome outcome(dialect_, out);
  EXPECT_FALSE(outcome.finished);
  EXPECT_EQ(outcome.lines().back(), "error  status=0 it \"broke\"");
}

TEST_F(OllamaClient, IsFoundByItsName) {
  EXPECT_EQ(dialect_by_name("ollama"), DialectId::ollama);
  EXPECT_STREQ(name(DialectId::ollama), "ollama");
  EXPECT_EQ(dialect(DialectId::ollama).framing(), Framing::ndjson);
  EXPECT_EQ(dialect(DialectId::anthropic).framing(), Framing::sse);
}

}  // namespace
}  // namespace nl::dialect
