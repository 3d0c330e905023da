#include "standby/reading.h"

#include <gtest/gtest.h>

namespace nl::standby {
namespace {

class Seen final : public ReadingSink {
 public:
  void on_progress(std::int64_t read, std::int64_t tokens) override {
    progress.emplace_back(read, tokens);
  }
  std::vector<std::pair<std::int64_t, std::int64_t>> progress;
};

Result<void> take(std::string_view data, Outcome& outcome, Seen& seen) {
  dialect::SseFrame frame;
  frame.data = data;
  return take_frame(frame, outcome, seen);
}

TEST(Reading, FollowsLlamaServersProgressAndTimings) {
  Outcome outcome;
  Seen seen;
  for (const char* data :
       {R"({"choices":[],"prompt_progress":{"total":900,"cache":100,"processed":356,"time_ms":9}})",
        R"({"choices":[],"usage":{"prompt_tokens":900},"timings":{"cache_n":100,"prompt_n":800,)"
        R"("prompt_ms":2000.5,"predicted_n":1}})",
        "[DONE]"}) {
    EXPECT_TRUE(take(data, outcome, seen));
  }
  ASSERT_EQ(seen.progress.size(), 1u);
  EXPECT_EQ(seen.progress[0], (std::pair<std::int64_t, std::int64_t>{356, 900}));
  EXPECT_EQ(outcome.tokens, 900);
  EXPECT_EQ(outcome.read, 800);
  EXPECT_EQ(outcome.read_ms, 2000);
}

TEST(Reading, TakesOllamasCountsFromItsLastLine) {
  Outcome outcome;
  Seen seen;
  EXPECT_TRUE(take(R"({"model":"m","message":{"content":"a"},"done":false})", outcome, seen));
  EXPECT_TRUE(take(R"({"model":"m","done":true,"prompt_eval_count":1200,)"
                   R"("prompt_eval_duration":3000000000})",
                   outcome, seen));
  EXPECT_EQ(outcome.tokens, 1200);
  EXPECT_EQ(outcome.read_ms, 3000);
}

TEST(Reading, AnErrorInTheStreamIsAnError) {
  Outcome outcome;
  Seen seen;
  const auto llama = take(R"({"error":{"message":"too long","code":400}})", outcome, seen);
  ASSERT_FALSE(llama);
  EXPECT_NE(llama.error().message.find("too long"), std::string::npos);
  EXPECT_FALSE(take(R"({"error":"model not found"})", outcome, seen));
}

}  // namespace
}  // namespace nl::standby
