#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "dialect/anthropic.h"
#include "dialect/conversation_dump.h"

namespace nl::dialect {
namespace {

constexpr std::string_view kStart =
    R"({"type":"message_start","message":{"id":"i","model":"m","usage":{"input_tokens":1}}})";
constexpr std::string_view kText =
    R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})";
constexpr std::string_view kTool =
    R"({"type":"content_block_start","index":0,)"
    R"("content_block":{"type":"tool_use","id":"1","name":"n","input":{}}})";
constexpr std::string_view kStop = R"({"type":"content_block_stop","index":0})";
constexpr std::string_view kEnd = R"({"type":"message_stop"})";

// What reading `frames` gives: the events, or the first failure as the last line.
std::string read(const std::vector<std::string_view>& frames) {
  const auto reader = Anthropic().make_reader();
  EventLines lines;
  for (const std::string_view data : frames) {
    SseFrame frame;
    frame.data = data;
    if (const auto done = reader->frame(frame, lines); !done) {
      EXPECT_EQ(done.error().code, ErrorCode::protocol);
      return "failed: " + done.error().message;
    }
  }
  return lines.text();
}

std::string whole(std::string_view body) {
  EventLines lines;
  const auto done = Anthropic().make_reader()->whole(body, lines);
  return done ? lines.text() : std::string("failed: ") + name(done.error().code);
}

TEST(AnthropicReader, RefusesWhatBreaksTheOrder) {
  constexpr std::string_view delta =
      R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"x"}})";
  constexpr std::string_view second =
      R"({"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}})";
  const std::vector<std::vector<std::string_view>> table = {
      {"{"},
      {"[]"},
      {"{}"},
      {R"({"type":5})"},
      {kStart, kStart},
      {R"({"type":"message_start"})"},
      {kText},
      {delta},
      {kEnd},
      {kStart, delta},
      {kStart, kStop},
      {kStart, second},
      {kStart, kText, kText},
      {kStart, kText, second},
      {kStart, kText, kEnd},
      {kStart, kText, R"({"type":"content_block_stop","index":1})"},
      {kStart, kText, R"({"type":"content_block_stop"})"},
      {kStart, kText, R"({"type":"message_delta","delta":{"stop_reason":"end_turn"}})"},
      {kStart, kEnd, kText},
      {kStart, kEnd, kEnd},
      {kStart, R"({"type":"content_block_start","index":0})"},
      {kStart, R"({"type":"content_block_start","index":0,"content_block":{"type":"tool_use"}})"},
      {kStart, kText, R"({"type":"content_block_delta","index":0})"},
      {kStart, kText, R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta"}})"},
      {kStart, kText,
       R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":1}})"},
      {kStart, kTool, delta},
      {kStart, kText,
       R"({"type":"content_block_delta","index":0,)"
       R"("delta":{"type":"input_json_delta","partial_json":""}})"},
  };
  for (const auto& frames : table) {
    EXPECT_TRUE(read(frames).starts_with("failed: ")) << frames.back() << "\n" << read(frames);
  }
}

TEST(AnthropicReader, PassesOverWhatIsNew) {
  EXPECT_EQ(read({R"({"type":"greeting"})", kStart, R"({"type":"novelty","a":[]})",
                  R"({"type":"content_block_start","index":0,"content_block":{"type":"hologram"}})",
                  R"({"type":"content_block_delta","index":0,"delta":{"type":"beam","text":"x"}})",
                  kStop, kEnd}),
            "start \"i\" \"m\" input=1\nblock_start 0 opaque\ndelta 0 opaque \"\"\n"
            "block_stop 0\nfinish end_turn input=1\n");
}

TEST(AnthropicReader, GivesEveryCallArguments) {
  EXPECT_EQ(read({kStart, kTool, kStop}),
            "start \"i\" \"m\" input=1\nblock_start 0 tool \"1\" \"n\"\n"
            "delta 0 arguments \"{}\"\nblock_stop 0\n");
  const std::string at_start =
      read({kStart,
            R"({"type":"content_block_start","index":0,)"
            R"("content_block":{"type":"tool_use","id":"1","name":"n","input":{"a":"b"}}})",
            kStop});
  EXPECT_NE(at_start.find(R"(delta 0 arguments "{\"a\":\"b\"}")"), std::string::npos) << at_start;
}

TEST(AnthropicReader, IsFinishedByMessageStopOrByAReasonAtTheEnd) {
  const auto reader = Anthropic().make_reader();
  EventLines lines;
  const auto feed = [&](std::string_view data) {
    SseFrame frame;
    frame.data = data;
    ASSERT_TRUE(reader->frame(frame, lines));
  };
  feed(kStart);
  reader->end(lines);
  EXPECT_FALSE(reader->finished());
  feed(R"({"type":"message_delta","delta":{"stop_reason":"max_tokens"},)"
       R"("usage":{"output_tokens":4}})");
  EXPECT_FALSE(reader->finished());
  reader->end(lines);
  EXPECT_TRUE(reader->finished());
  reader->end(lines);
  EXPECT_EQ(
      lines.text(),
      "start \"i\" \"m\" input=1\nusage input=1 output=4\nfinish max_tokens input=1 output=4\n");
}

TEST(AnthropicReader, ReadsErrorsWithTheStatusTheyStandFor) {
  EXPECT_EQ(read({R"({"type":"error","error":{"type":"overloaded_error","message":"busy"}})"}),
            "error overloaded_error status=529 busy\n");
  EXPECT_EQ(read({R"({"error":{"message":"odd"}})"}), "error  status=0 odd\n");
  EXPECT_EQ(read({R"({"type":"error"})"}), "error  status=0 the upstream reported an error\n");
}

TEST(AnthropicReader, JudgesAWholeBody) {
  const auto message = [](std::string_view content, std::string_view reason) {
    return whole(R"({"type":"message","role":"assistant","content":)" + std::string(content) +
                 R"(,"stop_reason":")" + std::string(reason) + "\"}");
  };
  EXPECT_EQ(whole(""), "failed: not_an_answer");
  EXPECT_EQ(whole("<html>"), "failed: not_an_answer");
  EXPECT_EQ(whole("{}"), "failed: not_an_answer");
  EXPECT_EQ(whole("[]"), "failed: not_an_answer");
  EXPECT_EQ(whole(R"({"type":"message","content":null})"), "failed: not_an_answer");
  EXPECT_EQ(whole(R"({"type":"error","error":{"type":"api_error"}})"), "failed: stream_error");
  EXPECT_EQ(whole(R"({"error":{"message":"no"}})"), "failed: stream_error");
  EXPECT_EQ(message("[]", "end_turn"), "failed: empty_answer");
  EXPECT_EQ(message(R"([{"type":"text","text":""}])", "end_turn"), "failed: empty_answer");
  EXPECT_EQ(message("[]", "refusal"), "start \"\" \"\"\nfinish refusal\n");
  EXPECT_EQ(message("[]", "max_tokens"), "start \"\" \"\"\nfinish max_tokens\n");
  EXPECT_EQ(message("[1]", "end_turn"), "failed: protocol");
  EXPECT_EQ(message(R"([{"type":"tool_use","id":"1","name":"n","input":[]}])", "tool_use"),
            "failed: protocol");
  EXPECT_EQ(message(R"([{"type":"hologram"}])", "end_turn"),
            "start \"\" \"\"\nblock_start 0 opaque\nblock_stop 0\nfinish end_turn\n");
}

TEST(AnthropicReader, ReadsErrorBodiesOfAnyKind) {
  const auto read_error = [](int status, std::string_view body) {
    return Anthropic().read_error(status, body);
  };
  const UpstreamError limit =
      read_error(429, R"({"type":"error","error":{"type":"rate_limit_error","message":"m",)"
                      R"("details":{"error_code":"c"}}})");
  EXPECT_EQ(limit.type, "rate_limit_error");
  EXPECT_EQ(limit.code, "c");
  EXPECT_EQ(limit.message, "m");
  for (const std::string_view garbage :
       {"", "<html>", "[]", "null", R"({"error":5})", R"({"error":{"message":{},"type":[]}})",
        R"({"error":{"details":"x"}})", "\xFF\xFE"}) {
    const UpstreamError nothing = read_error(529, garbage);
    EXPECT_EQ(nothing.type, "overloaded_error") << garbage;
    EXPECT_EQ(nothing.message, "") << garbage;
  }
  EXPECT_EQ(read_error(502, R"({"error":"gateway down"})").message, "gateway down");
  const std::string long_text = "{\"error\":{\"message\":\"" + std::string(9999, 'x') + "\"}}";
  EXPECT_EQ(read_error(400, long_text).message.size(), 500U);
}

// Answers recorded from a stub at every split, where they lie beside the repository.
TEST(AnthropicReader, ReadsRecordedAnswersAtEverySplit) {
  const std::filesystem::path folder = "../shared/data/captures/claude-code";
  if (!std::filesystem::is_directory(folder))
    GTEST_SKIP() << "no shared test data beside this checkout";
  const auto events = [](std::string_view first, std::string_view second) {
    const auto reader = Anthropic().make_reader();
    SseFramer framer;
    EventLines lines;
    for (const std::string_view piece : {first, second}) {
      EXPECT_TRUE(framer.feed(piece));
      while (const auto frame = framer.next()) EXPECT_TRUE(reader->frame(*frame, lines));
    }
    return lines.text();
  };
  for (const char* file : {"parallel-tools.json", "cut-mid-tool-resume.json"}) {
    std::ifstream stream(folder / file, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    Document document;
    ASSERT_TRUE(document.parse(text)) << file;
    for (Value each = document.root()["exchanges"].first(); each; each = each.next()) {
      const std::string raw = each["response"]["raw"].text().utf8();
      if (!raw.starts_with("event:")) continue;
      const std::string_view view = raw;
      const std::string expected = events(view, "");
      for (std::size_t at = 1; at < raw.size(); ++at) {
        ASSERT_EQ(events(view.substr(0, at), view.substr(at)), expected) << file << " at " << at;
      }
    }
  }
}

}  // namespace
}  // namespace nl::dialect
