// Recorded conversations and damaged streams from outside the repository: skipped where absent.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "dialect/openai_chat.h"
#include "dialect/stream_outcome.h"

namespace nl::dialect {
namespace {

namespace fs = std::filesystem;

const fs::path kData = "../shared/data";

std::string contents(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::string from_base64(std::string_view text) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  unsigned bits = 0;
  int held = 0;
  for (const char digit : text) {
    const auto value = kDigits.find(digit);
    if (value == std::string_view::npos) break;
    bits = (bits << 6 | static_cast<unsigned>(value)) & 0xffff;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out += static_cast<char>(bits >> held & 0xff);
  }
  return out;
}

// A chunked body without its framing.
std::string unchunk(std::string_view body) {
  std::string out;
  while (!body.empty()) {
    const std::size_t line = body.find("\r\n");
    std::size_t size = 0;
    for (const char digit : body.substr(0, std::min(line, body.find(';')))) {
      const std::string_view digits = "0123456789abcdef";
      size = size * 16 + digits.find(digit);
    }
    if (size == 0 || line == std::string_view::npos) break;
    out += body.substr(line + 2, size);
    body.remove_prefix(std::min(body.size(), line + 2 + size + 2));
  }
  return out;
}

TEST(OpenAiChatCorpus, DamagedStreamsNeverEndCleanlyAndValidOnesArriveWhole) {
  const std::string text = contents(kData / "badinput/sse/openai_stream_cases.json");
  if (text.empty()) GTEST_SKIP() << "no shared test data beside this checkout";
  Document document;
  ASSERT_TRUE(document.parse(text));
  for (Value one = document.root().first(); one; one = one.next()) {
    const std::string name = one["name"].text().utf8();
    std::string body;
    for (Value part = one["parts"].first(); part; part = part.next()) {
      body += from_base64(part.text().utf8());
    }
    for (std::int64_t times = one["repeat"].integer().value_or(1); times > 1; --times) {
      if (body.size() > kSseFrameBytesMax * 2) break;
      body += body;
    }
    if (from_base64(one["head"].text().utf8()).find("chunked") != std::string::npos) {
      body = unchunk(body);
    }
    const StreamOutcome outcome(OpenAiChat(), body, 4096);
    const bool valid = one["kind"].equals("valid");
    EXPECT_EQ(outcome.finished && outcome.has_content, valid) << name << " " << outcome.error;
    if (valid) {
      EXPECT_EQ(outcome.text, one["text"].text().utf8()) << name;
    }
    if (!valid || body.size() > 4096) continue;
    for (std::size_t piece = 1; piece < 40; ++piece) {
      const StreamOutcome again(OpenAiChat(), body, piece);
      EXPECT_EQ(again.lines(), outcome.lines()) << name << " in pieces of " << piece;
    }
  }
}

class Captures : public testing::Test {
 protected:
  template <typename Take>
  void each(Take take) {
    int seen = 0;
    if (!fs::is_directory(kData / "captures"))
      GTEST_SKIP() << "no shared test data beside this checkout";
    for (const auto& entry : fs::recursive_directory_iterator(kData / "captures")) {
      if (entry.path().extension() != ".json") continue;
      const std::string text = contents(entry.path());
      if (text.find("/chat/completions") == std::string::npos) continue;
      Document document;
      ASSERT_TRUE(document.parse(text)) << entry.path();
      const Value exchanges = document.root()["exchanges"];
      for (Value one = exchanges.first(); one; one = one.next()) {
        if (one["path"].text().escaped.find("/chat/completions") == std::string_view::npos)
          continue;
        take(one, entry.path().filename().string());
        ++seen;
      }
    }
    EXPECT_GT(seen, 0);
  }
};

TEST_F(Captures, RequestsAreReadAndWrittenAgain) {
  each([](const Value& exchange, const std::string& name) {
    Document body;
    const std::string text(exchange["body"].raw());
    ASSERT_TRUE(body.parse(text, DuplicateKeys::refuse_top_level)) << name;
    const auto request = OpenAiChat().decode_request(body);
    ASSERT_TRUE(request) << name << ": " << request.error().message;
    EXPECT_TRUE(request->only_this_dialect.empty()) << name;
    EncodeOptions options;
    options.model = request->model.utf8();
    const auto once = OpenAiChat().encode_request(*request, options);
    ASSERT_TRUE(once) << name;
    Document again;
    ASSERT_TRUE(again.parse(*once, DuplicateKeys::refuse_top_level)) << *once;
    const auto read = OpenAiChat().decode_request(again);
    ASSERT_TRUE(read) << name << ": " << read.error().message;
    EXPECT_EQ(read->messages.size(), request->messages.size()) << name;
    EXPECT_EQ(read->tools.size(), request->tools.size()) << name;
  });
}

TEST_F(Captures, AnswersAreReadAndWrittenAgain) {
  each([](const Value& exchange, const std::string& name) {
    const std::string raw = exchange["response"]["raw"].text().utf8();
    if (!raw.starts_with("data:")) {
      EventLines lines;
      EXPECT_TRUE(OpenAiChat().make_reader()->whole(raw, lines)) << name;
      return;
    }
    const StreamOutcome outcome(OpenAiChat(), raw);
    EXPECT_TRUE(outcome.finished && outcome.has_content) << name << " " << outcome.error;
  });
}

}  // namespace
}  // namespace nl::dialect
