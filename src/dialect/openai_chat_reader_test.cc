#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dialect/conversation_dump.h"
#include "dialect/openai_chat.h"
#include "dialect/stream_outcome.h"

namespace nl::dialect {
namespace {

std::string chunk(std::string_view delta, std::string_view finish = "null") {
  return fmt::format(
      "data: {{\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\","
      "\"choices\":[{{\"index\":0,\"delta\":{},\"finish_reason\":{}}}]}}\n\n",
      delta, finish);
}

std::string call(int index, std::string_view id, std::string_view name,
                 std::string_view arguments) {
  std::string head = fmt::format("\"index\":{},", index);
  if (!id.empty()) head += fmt::format("\"id\":\"{}\",\"type\":\"function\",", id);
  const std::string named = name.empty() ? "" : fmt::format("\"name\":\"{}\",", name);
  return chunk(fmt::format("{{\"tool_calls\":[{{{}\"function\":{{{}\"arguments\":\"{}\"}}}}]}}",
                           head, named, arguments));
}

const std::string kRole = chunk(R"({"role":"assistant","content":""})");
const std::string kStop = chunk("{}", "\"stop\"");
const std::string kCalls = chunk("{}", "\"tool_calls\"");
const std::string kDone = "data: [DONE]\n\n";

class OpenAiChatReader : public testing::Test {
 protected:
  StreamOutcome read(const std::string& bytes) {
    const StreamOutcome whole(dialect_, bytes);
    for (std::size_t piece = 1; piece < 8; ++piece) {
      EXPECT_EQ(StreamOutcome(dialect_, bytes, piece).lines(), whole.lines())
          << "in pieces of " << piece;
    }
    return whole;
  }
  using Lines = std::vector<std::string>;

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

  OpenAiChat dialect_;
  EventLines log_;
};

TEST_F(OpenAiChatReader, APieceOfACallBesideWordsIsNeverLost) {
  const auto both = [](const char* words, const char* colon) {
    return chunk(
        fmt::format("{{\"content\"{}\"{}\",\"tool_calls\":[{{\"index\":0,\"id\":\"c\",\"function\":"
                    "{{\"arguments\":\" \"}}}}]}}",
                    colon, words));
  };
  const std::string named = call(0, "c", "f", "{}");
  const std::string open = kRole + chunk(R"({"content":"a"})");
  EXPECT_EQ(read(open + both("x", ":") + both("y", ":") + named + kCalls + kDone).lines(),
            read(open + both("x", ":") + both("y", ": ") + named + kCalls + kDone).lines());
}

// A chunk that is as the one before but for its words is not parsed anew: what comes out is what a
// parser makes of it, good or bad.
TEST_F(OpenAiChatReader, WordsInAKnownShapeReadAsTheyDoInANewOne) {
  for (const char* field : {"content", "reasoning_content"}) {
    for (const char* words :
         {"b", "", "\\n\\\"", "\\u00e4", "\\ud83d", "\xc3\xa4", "\xff", "\x01", "\\", "\\x", "a\"",
          "x\",\"refusal\":\"no", "x\"},\"finish_reason\":\"stop\",\"delta\":{\"z\":\""}) {
      const std::string again = fmt::format("{{\"{}\":\"{}\"}}", field, words);
      const std::string first = fmt::format("{{\"{}\":\"a\"}}", field);
      const std::string spaced = fmt::format("{{\"{}\": \"a\"}}", field);
      const std::string behind = chunk(again) + chunk(first) + kStop + kDone;
      EXPECT_EQ(read(kRole + chunk(first) + chunk(first) + behind).lines(),
                read(kRole + chunk(first) + chunk(spaced) + behind).lines())
          << again;
    }
  }
}

TEST_F(OpenAiChatReader, ReadingThePromptIsProgressAndTimingsCount) {
  const auto reads = [](int done) {
    return fmt::format(
        "data: {{\"choices\":[{{\"finish_reason\":null,\"index\":0,\"delta\":{{\"role\":"
        "\"assistant\",\"content\":null}}}}],\"id\":\"c1\",\"model\":\"m\","
        "\"prompt_progress\":{{\"total\":10,\"cache\":0,\"processed\":{},\"time_ms\":1}}}}\n\n",
        done);
  };
  const std::string timings =
      "data: {\"choices\":[],\"timings\":{\"cache_n\":4,\"prompt_n\":6,\"predicted_n\":2}}\n\n";
  const auto seen =
      read(reads(0) + reads(10) + chunk(R"({"content":"hi"})") + kStop + timings + kDone);
  EXPECT_EQ(seen.lines(),
            (Lines{R"(start "c1" "m")", "progress", "progress", "block_start 0 text",
                   R"(delta 0 text "hi")", "block_stop 0", "usage input=6 cache_read=4 output=2",
                   "finish end_turn input=6 cache_read=4 output=2"}));
}

TEST_F(OpenAiChatReader, ReadsTextAndPutsUsageBeforeFinish) {
  const auto outcome =
      read(kRole + chunk(R"({"content":"Hel"})") + chunk(R"({"content":"lo \u00e9"})") + kStop +
           "data: {\"id\":\"c1\",\"choices\":[],\"usage\":{\"prompt_tokens\":1200,"
           "\"completion_tokens\":25,\"total_tokens\":1225,\"prompt_tokens_details\":"
           "{\"cached_tokens\":900},\"completion_tokens_details\":{\"reasoning_tokens\":7}}}\n\n" +
           kDone);
  EXPECT_EQ(outcome.lines(),
            (Lines{R"(start "c1" "m")", "block_start 0 text", R"(delta 0 text "Hel")",
                   R"(delta 0 text "lo \u00e9")", "block_stop 0",
                   "usage input=300 cache_read=900 output=25 reasoning=7",
                   "finish end_turn input=300 cache_read=900 output=25 reasoning=7"}));
  EXPECT_TRUE(outcome.finished);
}

TEST_F(OpenAiChatReader, FinishesWithoutDoneWhenAReasonCame) {
  const auto outcome = read(kRole + chunk(R"({"content":"Hi"})") + kStop);
  EXPECT_TRUE(outcome.finished);
  EXPECT_EQ(outcome.lines().back(), "finish end_turn");
}

TEST_F(OpenAiChatReader, AStreamWithoutAReasonIsNotFinished) {
  EXPECT_FALSE(read(kRole + chunk(R"({"content":"Hi"})")).finished);
  const auto outcome = read(kRole + chunk(R"({"content":"Hi"})") + kDone);
  EXPECT_FALSE(outcome.finished);
}

TEST_F(OpenAiChatReader, ABareDoneSaysNothing) {
  const auto outcome = read(kDone);
  EXPECT_TRUE(outcome.lines().empty());
  EXPECT_FALSE(outcome.finished);
}

TEST_F(OpenAiChatReader, CommentsAndEmptyDeltasArePings) {
  const auto outcome = read(": OPENROUTER PROCESSING\n\n" + kRole + chunk("{}") + kStop + kDone);
  EXPECT_EQ(outcome.lines(), (Lines{"ping", R"(start "c1" "m")", "ping", "finish end_turn"}));
  EXPECT_EQ(outcome.has_content, false);
}

TEST_F(OpenAiChatReader, ThinkingComesUnderTwoNames) {
  for (const char* name : {"reasoning_content", "reasoning"}) {
    const auto outcome =
        read(kRole + chunk(fmt::format("{{\"{}\":\"hm\",\"content\":null}}", name)) +
             chunk(R"({"content":"Hi"})") + kStop + kDone);
    EXPECT_EQ(outcome.lines(),
              (Lines{R"(start "c1" "m")", "block_start 0 thinking", R"(delta 0 thinking "hm")",
                     "block_stop 0", "block_start 1 text", R"(delta 1 text "Hi")", "block_stop 1",
                     "finish end_turn"}));
  }
}

TEST_F(OpenAiChatReader, CallsOneAfterAnotherStream) {
  const auto outcome =
      read(kRole + chunk(R"({"content":"Now."})") + call(0, "a", "read", "") +
           call(0, "", "", R"({\"p\":)") + call(0, "", "", R"(1})") + call(1, "b", "list", R"({)") +
           call(1, "", "", R"(})") + kCalls + kDone);
  EXPECT_EQ(outcome.lines(),
            (Lines{R"(start "c1" "m")", "block_start 0 text", R"(delta 0 text "Now.")",
                   "block_stop 0", R"(block_start 1 tool "a" "read")",
                   R"(delta 1 arguments "{\"p\":")", R"(delta 1 arguments "1}")", "block_stop 1",
                   R"(block_start 2 tool "b" "list")", R"(delta 2 arguments "{")",
                   R"(delta 2 arguments "}")", "block_stop 2", "finish tool_use"}));
}

TEST_F(OpenAiChatReader, InterleavedCallsNeverOverlap) {
  const auto outcome = read(kRole + call(0, "a", "f", R"({\"x\":)") +
                            call(1, "b", "g", R"({\"y\":)") + chunk(R"({"content":"late"})") +
                            call(0, "", "", "1}") + call(1, "", "", "2}") + kCalls + kDone);
  EXPECT_EQ(
      outcome.lines(),
      (Lines{R"(start "c1" "m")", R"(block_start 0 tool "a" "f")", R"(delta 0 arguments "{\"x\":")",
             R"(delta 0 arguments "1}")", "block_stop 0", R"(block_start 1 tool "b" "g")",
             R"(delta 1 arguments "{\"y\":")", R"(delta 1 arguments "2}")", "block_stop 1",
             "block_start 2 text", R"(delta 2 text "late")", "block_stop 2", "finish tool_use"}));
}

TEST_F(OpenAiChatReader, IdsAndNamesRepeatedOnLaterChunksDoNoHarm) {
  const auto outcome = read(call(0, "a", "f", R"({\"x\":)") + call(0, "a", "f", "1}") +
                            call(0, "a", "f", "") + kCalls + kDone);
  EXPECT_EQ(outcome.lines(), (Lines{R"(start "c1" "m")", R"(block_start 0 tool "a" "f")",
                                    R"(delta 0 arguments "{\"x\":")", R"(delta 0 arguments "1}")",
                                    "block_stop 0", "finish tool_use"}));
}

TEST_F(OpenAiChatReader, CallsThatAllSayIndexZeroAreToldApartById) {
  const auto outcome = read(call(0, "a", "f", "{}") + call(0, "b", "g", R"({\"y\":2})") + kStop);
  EXPECT_EQ(outcome.lines(),
            (Lines{R"(start "c1" "m")", R"(block_start 0 tool "a" "f")",
                   R"(delta 0 arguments "{}")", "block_stop 0", R"(block_start 1 tool "b" "g")",
                   R"(delta 1 arguments "{\"y\":2}")", "block_stop 1", "finish tool_use"}));
}

TEST_F(OpenAiChatReader, AMissingIdIsMintedAndMissingArgumentsAreAnObject) {
  const auto outcome = StreamOutcome(
      dialect_, chunk(R"({"tool_calls":[{"function":{"name":"now"}}]})") + kStop + kDone);
  ASSERT_EQ(outcome.lines().size(), 5U);
  EXPECT_TRUE(outcome.lines()[1].starts_with("block_start 0 tool \"call_"));
  EXPECT_EQ(outcome.lines()[2], R"(delta 0 arguments "{}")");
  EXPECT_EQ(outcome.lines()[4], "finish tool_use");
}

TEST_F(OpenAiChatReader, AnEmptyObjectBeforeTheRealArgumentsIsDropped) {
  const auto outcome =
      read(call(0, "a", "f", "{}") + call(0, "", "", R"({\"x\":1})") + kCalls + kDone);
  EXPECT_EQ(outcome.lines()[2], R"(delta 0 arguments "{\"x\":1}")");
}

TEST_F(OpenAiChatReader, ArgumentsMayBeAnObject) {
  const auto outcome =
      read(chunk(R"({"tool_calls":[{"id":"a","function":{"name":"f","arguments":{"x":"y"}}}]})") +
           kStop);
  EXPECT_EQ(outcome.lines()[2], R"(delta 0 arguments "{\"x\":\"y\"}")");
}

TEST_F(OpenAiChatReader, TheOlderFunctionCallIsACall) {
  const auto outcome =
      StreamOutcome(dialect_, chunk(R"({"function_call":{"name":"f","arguments":""}})") +
                                  chunk(R"({"function_call":{"arguments":"{}"}})") +
                                  chunk("{}", "\"function_call\"") + kDone);
  EXPECT_EQ(outcome.lines().back(), "finish tool_use");
}

TEST_F(OpenAiChatReader, StopReasonsFollowTheContent) {
  const auto stop = [&](const std::string& body, const char* reason) {
    return StreamOutcome(dialect_, body + chunk("{}", fmt::format("\"{}\"", reason)))
        .lines()
        .back();
  };
  const std::string text = chunk(R"({"content":"a"})");
  EXPECT_EQ(stop(text, "stop"), "finish end_turn");
  EXPECT_EQ(stop(text, "tool_calls"), "finish end_turn");
  EXPECT_EQ(stop(text, "eos"), "finish end_turn");
  EXPECT_EQ(stop(text, "length"), "finish max_tokens");
  EXPECT_EQ(stop(text, "content_filter"), "finish refusal");
  EXPECT_EQ(stop(call(0, "a", "f", "{}"), "stop"), "finish tool_use");
  EXPECT_EQ(stop(call(0, "a", "f", "{"), "length"), "finish max_tokens");
}

TEST_F(OpenAiChatReader, AnErrorObjectInAChunkIsAnErrorEvent) {
  const auto outcome = read(
      kRole + chunk(R"({"content":"He"})") +
      R"(data: {"id":"c1","choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}],)"
      R"("error":{"code":502,"message":"Provider disconnected"}})"
      "\n\n" +
      kDone);
  EXPECT_FALSE(outcome.finished);
  EXPECT_EQ(outcome.lines().back(), "error 502 status=502 Provider disconnected");
}

TEST_F(OpenAiChatReader, EveryShapeOfErrorIsOne) {
  const std::pair<const char*, const char*> kCases[] = {
      {R"({"error":{"message":"slow","type":"rate_limit_error","code":"rate_limit_exceeded"}})",
       "error rate_limit_error status=0 slow"},
      {R"({"error":"model crashed"})", "error  status=0 model crashed"},
      {R"({"object":"error","message":"too long","type":"BadRequestError","code":400})",
       "error BadRequestError status=400 too long"},
      {R"({"choices":[{"index":0,"delta":{},"finish_reason":"error"}]})",
       R"(error error status=0 the upstream ended with finish_reason "error")"},
      {R"({"choices":[{"index":0,"delta":{},"error":{"code":429,"message":"m"}}]})",
       "error 429 status=429 m"},
  };
  for (const auto& [body, line] : kCases) {
    const auto outcome = read(fmt::format("data: {}\n\n", body));
    EXPECT_EQ(outcome.lines().back(), line) << body;
    EXPECT_FALSE(outcome.finished);
  }
}

TEST_F(OpenAiChatReader, WrongTypesAndBadJsonAreRefused) {
  for (const char* body :
       {"{", "[]", "1", "\"x\"", R"({"choices":1})", R"({"choices":[1]})",
        R"({"choices":[{"delta":1}]})", R"({"choices":[{"delta":{"content":1}}]})",
        R"({"choices":[{"delta":{"tool_calls":1}}]})",
        R"({"choices":[{"delta":{"tool_calls":[1]}}]})",
        R"({"choices":[{"delta":{"tool_calls":[{"index":-1}]}}]})",
        R"({"choices":[{"delta":{"tool_calls":[{"index":"0"}]}}]})",
        R"({"choices":[{"delta":{"tool_calls":[{"index":0,"id":7}]}}]})",
        R"({"choices":[{"delta":{"tool_calls":[{"function":{"name":"f","arguments":3}}]}}]})",
        R"({"choices":[{"delta":{},"finish_reason":3}]})", R"({"choices":[],"usage":3})",
        "<html>portal</html>", "{\"choices\":[{\"delta\":{\"content\":\"\xff\"}}]}"}) {
    const auto outcome = StreamOutcome(dialect_, fmt::format("data: {}\n\n", body));
    EXPECT_FALSE(outcome.error.empty()) << body;
    EXPECT_FALSE(outcome.finished) << body;
  }
}

TEST_F(OpenAiChatReader, ACallWithoutANameIsRefused) {
  EXPECT_FALSE(StreamOutcome(dialect_, call(0, "a", "", "{}") + kCalls).error.empty());
}

TEST_F(OpenAiChatReader, UsageInEveryChunkEndsNothingEarly) {
  const std::string counted =
      R"(data: {"id":"c","model":"m","choices":[{"index":0,"delta":{"content":"a"}}],)"
      R"("usage":{"prompt_tokens":5,"completion_tokens":1}})"
      "\n\n";
  const auto outcome = read(counted + counted + kStop + kDone);
  EXPECT_EQ(outcome.text, "aa");
  EXPECT_EQ(outcome.lines().back(), "finish end_turn input=5 output=1");
}

TEST_F(OpenAiChatReader, ReadsAWholeAnswer) {
  ASSERT_TRUE(whole(R"({"id":"c","model":"m","choices":[{"index":0,"message":{"role":"assistant",
    "content":"Hi","reasoning_content":"hm","refusal":null,
    "tool_calls":[{"id":"a","type":"function",
    "function":{"name":"f","arguments":"{\"x\":1}"}},{"id":"b","type":"function","function":{"name":
    "g","arguments":""}}]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":3,
    "completion_tokens":2}})"));
  EXPECT_EQ(log_.lines(),
            (Lines{R"(start "c" "m")", "block_start 0 thinking", R"(delta 0 thinking "hm")",
                   "block_stop 0", "block_start 1 text", R"(delta 1 text "Hi")", "block_stop 1",
                   R"(block_start 2 tool "a" "f")", R"(delta 2 arguments "{\"x\":1}")",
                   "block_stop 2", R"(block_start 3 tool "b" "g")", R"(delta 3 arguments "{}")",
                   "block_stop 3", "usage input=3 output=2", "finish tool_use input=3 output=2"}));
}

TEST_F(OpenAiChatReader, AFilteredAnswerIsARefusal) {
  ASSERT_TRUE(
      whole(R"({"choices":[{"message":{"content":""},"finish_reason":"content_filter"}]})"));
  EXPECT_EQ(log_.lines().back(), "finish refusal");
}

TEST_F(OpenAiChatReader, WholeBodiesThatAreNoAnswer) {
  EXPECT_EQ(refusal("<html></html>"), ErrorCode::not_an_answer);
  EXPECT_EQ(refusal(""), ErrorCode::not_an_answer);
  EXPECT_EQ(refusal("[]"), ErrorCode::not_an_answer);
  EXPECT_EQ(refusal("{}"), ErrorCode::not_an_answer);
  EXPECT_EQ(refusal(R"({"choices":null})"), ErrorCode::not_an_answer);
  EXPECT_EQ(refusal(R"({"choices":[]})"), ErrorCode::not_an_answer);
  EXPECT_EQ(refusal(R"({"choices":[{"finish_reason":"stop"}]})"), ErrorCode::not_an_answer);
  EXPECT_EQ(refusal(R"({"error":{"message":"m","code":503}})"), ErrorCode::stream_error);
  EXPECT_EQ(refusal(R"({"choices":[{"error":{"message":"m","code":503}}]})"),
            ErrorCode::stream_error);
  EXPECT_EQ(refusal(R"({"choices":[{"message":{"content":"a"},"finish_reason":"error"}]})"),
            ErrorCode::stream_error);
  EXPECT_EQ(refusal(R"({"choices":[{"message":{"content":""},"finish_reason":"stop"}]})"),
            ErrorCode::empty_answer);
  EXPECT_EQ(refusal(R"({"choices":[{"message":{"content":null,"tool_calls":[]}}]})"),
            ErrorCode::empty_answer);
}

TEST_F(OpenAiChatReader, AnErrorInA200KeepsItsStatus) {
  const auto read = whole(R"({"error":{"message":"busy","code":503}})");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().status, 503);
  EXPECT_EQ(read.error().message, "busy");
}

}  // namespace
}  // namespace nl::dialect
