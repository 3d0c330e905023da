#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "dialect/conversation_dump.h"
#include "dialect/ollama.h"
#include "dialect/stream_outcome.h"

namespace nl::dialect {
namespace {

std::string line(std::string_view message, std::string_view rest = "\"done\":false") {
  return fmt::format("{{\"model\":\"m\",\"created_at\":\"t\",\"message\":{},{}}}\n", message, rest);
}
std::string say(std::string_view text) {
  return line(fmt::format(R"({{"role":"assistant","content":"{}"}})", text));
}
std::string calls(std::string_view list) {
  return line(fmt::format(R"({{"role":"assistant","content":"","tool_calls":[{}]}})", list));
}
const std::string kDone =
    line(R"({"role":"assistant","content":""})",
         R"("done":true,"done_reason":"stop","prompt_eval_count":7,"eval_count":3)");

class OllamaReader : public testing::Test {
 protected:
  using Lines = std::vector<std::string>;

  // Read at every byte split and in pieces of every small size.
  StreamOutcome read(const std::string& bytes) {
    const StreamOutcome whole(dialect_, bytes);
    for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
      const StreamOutcome pieces(dialect_, bytes, piece);
      EXPECT_EQ(pieces.lines(), whole.lines()) << "in pieces of " << piece;
      EXPECT_EQ(pieces.finished, whole.finished) << "in pieces of " << piece;
      EXPECT_EQ(pieces.error, whole.error) << "in pieces of " << piece;
    }
    return whole;
  }
  Result<void> whole(std::string_view body) {
    log_ = EventLines();
    return dialect_.make_reader()->whole(body, log_);
  }
  ErrorCode refusal(std::string_view body) {
    const auto read = whole(body);
    EXPECT_FALSE(read.has_value()) << body;
    EXPECT_TRUE(log_.lines().empty()) << body;
    return read ? ErrorCode::internal : read.error().code;
  }

  Ollama dialect_;
  EventLines log_;
};

TEST_F(OllamaReader, ReadsTextAndPutsUsageBeforeFinish) {
  const auto outcome = read(say("Hel") + say(R"(lo \u00e9)") + kDone);
  EXPECT_EQ(outcome.lines(),
            (Lines{R"(start "" "m")", "block_start 0 text", R"(delta 0 text "Hel")",
                   R"(delta 0 text "lo \u00e9")", "block_stop 0", "usage input=7 output=3",
                   "finish end_turn input=7 output=3"}));
  EXPECT_TRUE(outcome.finished);
}

TEST_F(OllamaReader, AStreamWithoutItsLastLineIsCutOff) {
  EXPECT_FALSE(read("").finished);
  EXPECT_FALSE(read(say("Hel")).finished);
  EXPECT_FALSE(read(say("Hel") + say("lo").substr(0, 30)).finished);
  EXPECT_FALSE(read(say("Hel") + line("{}", "\"done\":null")).finished);
  // Its last line end alone may be missing.
  const std::string stream = say("Hel") + kDone;
  EXPECT_TRUE(read(stream.substr(0, stream.size() - 1)).finished);
}

TEST_F(OllamaReader, NothingCountsBehindTheLastLine) {
  const auto outcome = read(say("a") + kDone + say("b") + "oops\n" + R"({"error":"late"})" + "\n");
  EXPECT_EQ(outcome.text, "a");
  EXPECT_EQ(outcome.error, "");
  EXPECT_TRUE(outcome.finished);
}

TEST_F(OllamaReader, TheLastLineMayCarryTheWholeAnswer) {
  const auto outcome = read(line(R"({"role":"assistant","thinking":"t","content":"c"})",
                                 R"("done":true,"done_reason":"length")"));
  EXPECT_EQ(outcome.text, "c");
  EXPECT_EQ(outcome.lines().back(), "finish max_tokens");
}

TEST_F(OllamaReader, CallsWithoutIdsGetOneEachAndNeverJoin) {
  const auto stream = calls(R"({"function":{"index":0,"name":"f","arguments":{"a":1}}},)"
                            R"({"function":{"index":0,"name":"f","arguments":{"a":1}}})") +
                      calls(R"({"function":{"name":"f"}})") + kDone;
  std::vector<std::string> ids;
  std::vector<std::string> arguments;
  class Ids final : public EventSink {
   public:
    Ids(std::vector<std::string>& to, std::vector<std::string>& texts) : to_(to), texts_(texts) {}
    void on_event(const chat::Event& event) override {
      if (event.kind == chat::EventKind::block_start) to_.push_back(event.id.utf8());
      if (event.delta == chat::DeltaKind::arguments) texts_.push_back(event.text.utf8());
    }

   private:
    std::vector<std::string>& to_;
    std::vector<std::string>& texts_;
  } sink(ids, arguments);
  NdjsonFramer framer;
  const auto reader = dialect_.make_reader();
  ASSERT_TRUE(framer.feed(stream));
  while (const auto frame = framer.next()) ASSERT_TRUE(reader->frame(*frame, sink));
  ASSERT_EQ(ids.size(), 3u);
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), 3u);
  for (const std::string& id : ids) EXPECT_TRUE(id.starts_with("call_")) << id;
  EXPECT_EQ(arguments, (Lines{R"({"a":1})", R"({"a":1})", "{}"}));
}

TEST_F(OllamaReader, ACallTellsWhyTheAnswerEnded) {
  const std::string call = calls(R"({"id":"c1","function":{"name":"f","arguments":{}}})");
  EXPECT_EQ(read(call + kDone).lines().back(), "finish tool_use input=7 output=3");
  EXPECT_EQ(read(call + line("{}", R"("done":true,"done_reason":"length")")).lines().back(),
            "finish max_tokens");
}

TEST_F(OllamaReader, ArgumentsInAStringAreTakenToo) {
  const auto outcome =
      read(calls(R"({"id":"c1","function":{"name":"f","arguments":"{\"a\":1}"}})") + kDone);
  EXPECT_EQ(outcome.lines()[2], R"(delta 0 arguments "{\"a\":1}")");
}

TEST_F(OllamaReader, AnErrorLineIsAnErrorEventAndTheEnd) {
  const auto outcome = read(say("a") + R"({"error":"it broke"})" + "\n" + kDone);
  EXPECT_EQ(outcome.lines().back(), "error  status=0 it broke");
  EXPECT_FALSE(outcome.finished);
  EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(read(R"({"error":"busy","status":503})").lines().back(), "error  status=503 busy");
  EXPECT_EQ(read(R"({"error":{"message":"no"}})").lines().back(), "error  status=0 no");
}

TEST_F(OllamaReader, FillerIsAPingOnceTheAnswerHasBegun) {
  const auto outcome = read(say("") + say("") + say("a") + kDone);
  EXPECT_EQ(outcome.lines()[0], R"(start "" "m")");
  EXPECT_EQ(outcome.lines()[1], "ping");
}

TEST_F(OllamaReader, RefusesWhatIsNoLineOfAnAnswer) {
  for (const std::string_view bad :
       {"oops\n", "[]\n", "1\n", R"({"message":1})", R"({"message":{},"done":"yes"})",
        R"({"message":{"content":1}})", R"({"message":{"thinking":[]}})",
        R"({"message":{"tool_calls":{}}})", R"({"message":{"tool_calls":[1]}})",
        R"({"message":{"tool_calls":[{}]}})", R"({"message":{"tool_calls":[{"function":{}}]}})",
        R"({"message":{"tool_calls":[{"function":{"name":""}}]}})",
        R"({"message":{"tool_calls":[{"id":1,"function":{"name":"f"}}]}})",
        R"({"message":{"tool_calls":[{"function":{"name":"f","arguments":[]}}]}})",
        R"({"message":{},"done":true,"done_reason":1})"}) {
    const auto outcome = read(std::string(bad));
    EXPECT_NE(outcome.error, "") << bad;
    EXPECT_FALSE(outcome.finished) << bad;
  }
}

TEST_F(OllamaReader, ReadsAWholeAnswer) {
  ASSERT_TRUE(whole(line(R"({"role":"assistant","content":"Hi"})", R"("done":true)")));
  EXPECT_EQ(log_.lines(), (Lines{R"(start "" "m")", "block_start 0 text", R"(delta 0 text "Hi")",
                                 "block_stop 0", "finish end_turn"}));
}

TEST_F(OllamaReader, AWholeBodyThatIsNoAnswerSaysWhy) {
  EXPECT_EQ(refusal(""), ErrorCode::not_an_answer);
  EXPECT_EQ(refusal("<html>"), ErrorCode::not_an_answer);
  EXPECT_EQ(refusal("{}"), ErrorCode::not_an_answer);
  EXPECT_EQ(refusal(R"({"message":"hi"})"), ErrorCode::not_an_answer);
  EXPECT_EQ(refusal(R"({"error":"no"})"), ErrorCode::stream_error);
  EXPECT_EQ(refusal(R"({"message":{"content":""},"done":true})"), ErrorCode::empty_answer);
  EXPECT_EQ(refusal(R"({"message":{"content":"x"},"done":false})"), ErrorCode::truncated);
}

TEST_F(OllamaReader, TooLongHasTheCodeThatClientsActOn) {
  EXPECT_EQ(
      dialect_.read_error(400, R"({"error":"the input length exceeds the context length"})").code,
      "context_length_exceeded");
  const UpstreamError inner = dialect_.read_error(
      400, R"({"error":"{\"error\":{\"code\":400,\"message\":\"request (16007 tokens) exceeds the )"
           R"(available context size (8192 tokens), try increasing it\",)"
           R"(\"type\":\"exceed_context_size_error\",\"n_ctx\":8192}}"})");
  EXPECT_EQ(inner.type, "exceed_context_size_error");
  EXPECT_EQ(inner.message,
            "request (16007 tokens) exceeds the available context size (8192 tokens), try "
            "increasing it");
  EXPECT_EQ(dialect_.read_error(404, R"({"error":"model 'm' not found"})").code, "");
}

}  // namespace
}  // namespace nl::dialect
