#include "work/research.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <utility>

#include "work/fake_asker.h"
#include "work/note_list.h"
#include "work/pieces.h"

namespace nl::work {
namespace {

class ResearchTest : public testing::Test {
 protected:
  ResearchTest() : folder_("/tmp/nl-research-XXXXXX") {
    if (mkdtemp(folder_.data()) == nullptr) throw std::runtime_error("no temporary folder");
    recipe_.prompt = "PART {document}\n{words}\n<<{text}>>";
    recipe_.merge = "MERGE\n{notes}";
    recipe_.answer = "ANSWER {documents}\n{notes}";
    recipe_.max_tokens = 200;
    recipe_.answer_tokens = 200;
    asker_.say = [this](const Prompt& prompt) { return answer_from(prompt); };
  }
  ~ResearchTest() override { std::filesystem::remove_all(folder_); }

  // Claims every line with FACT; keeps lines with FACT of notes; cites all of them.
  static Result<Reply> answer_from(const Prompt& prompt) {
    std::string said;
    for (std::size_t at = prompt.text.find("FACT"); at != std::string::npos;
         at = prompt.text.find("FACT", at + 1)) {
      const std::string line = prompt.text.substr(at, prompt.text.find('\n', at) - at);
      if (prompt.text.starts_with("PART")) {
        said +=
            (said.empty() ? "" : ",") + ("{\"claim\":\"" + line + "\",\"quote\":\"" + line + "\"}");
      } else {
        const std::size_t begin = prompt.text.rfind('\n', at) + 1;
        said += prompt.text.substr(begin, at - begin) + line + "\n";
      }
    }
    if (prompt.text.starts_with("PART")) said = "{\"claims\":[" + said + "]}";
    return FakeAsker::words(said.empty() ? "none of it" : said);
  }

  void put(const std::string& name, const std::string& text) {
    std::ofstream(folder_ + "/" + name, std::ios::binary) << text;
    files_.emplace_back(folder_ + "/" + name);
  }
  static std::string lines(int count, const std::string& word) {
    std::string text;
    for (int i = 0; i < count; ++i) {
      text += word + " line " + std::to_string(i) + " of some ordinary words.\n";
    }
    return text;
  }
  Result<ResearchResult> run() {
    const ResearchSetup setup{recipe_, "Q", files_, {}, {}};
    auto journal =
        ResearchJournal::open(folder_ + "/state/j.jsonl", research_key(recipe_, "Q", setup.base));
    if (!journal) return std::unexpected(journal.error());
    return research(asker_, setup, *journal, view_, {});
  }
  std::size_t asked(std::string_view beginning) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        asker_.prompts, [&](const Prompt& prompt) { return prompt.text.starts_with(beginning); }));
  }

  std::string folder_;
  std::vector<std::filesystem::path> files_;
  Recipe recipe_;
  FakeAsker asker_;
  Quiet view_;
};

TEST_F(ResearchTest, ClaimsComeBackWithFileAndLine) {
  put("a.txt", "nothing\n");
  put("b.txt", lines(3, "x") + "FACT one\n");
  const auto result = run();
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->answer, "[1] FACT one\n");
  ASSERT_EQ(result->sources.size(), 1U);
  EXPECT_NE(result->sources[0].document.find("b.txt"), std::string::npos);
  EXPECT_EQ(result->sources[0].place, "line 4");
  EXPECT_TRUE(result->sources[0].found);
  EXPECT_EQ(result->documents, 2U);
  EXPECT_EQ(result->effort.asked, 3U);
  EXPECT_EQ(result->effort.cost_usd, 1.5);
  EXPECT_EQ(view_.last.done, 2U);
}

TEST_F(ResearchTest, ALongDocumentIsReadWholeInPartsThatFit) {
  put("long.txt", lines(500, "y") + "FACT at the end\n");
  const auto result = run();
  ASSERT_TRUE(result) << result.error().message;
  std::string whole;
  for (const Prompt& prompt : asker_.prompts) {
    EXPECT_LE(safe_tokens(prompt.text), asker_.window);
    if (!prompt.text.starts_with("PART")) continue;
    const std::size_t begin = prompt.text.find("<<") + 2;
    whole += prompt.text.substr(begin, prompt.text.size() - 2 - begin);
  }
  EXPECT_EQ(whole, lines(500, "y") + "FACT at the end\n");
  EXPECT_GT(asked("PART"), 3U);
  EXPECT_EQ(result->sources.at(0).place, "line 501");
}

TEST_F(ResearchTest, WhatWasReadIsNotAskedAgain) {
  for (int i = 0; i < 6; ++i) {
    put(std::to_string(i) + ".txt", "FACT " + std::to_string(i) + "\n");
  }
  int left = 4;
  asker_.say = [&](const Prompt& prompt) -> Result<Reply> {
    if (left-- == 0) return fail(ErrorCode::cancelled, "stopped");
    return answer_from(prompt);
  };
  const auto stopped = run();
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::cancelled);
  asker_.prompts.clear();
  left = 1000;
  const auto result = run();
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(asked("PART"), 2U);
  EXPECT_EQ(result->effort.known, 4U);
  EXPECT_EQ(result->sources.size(), 6U);
  asker_.prompts.clear();
  EXPECT_EQ(run()->answer, result->answer);
  EXPECT_TRUE(asker_.prompts.empty());
}

TEST_F(ResearchTest, NotesThatDoNotFitAreShortenedAndKeepTheirSources) {
  for (int i = 0; i < 60; ++i) {
    std::string text = "FACT " + std::to_string(i) + "\n";
    for (int k = 0; k < 9; ++k) text += "FACT " + lines(1, "filler");
    put(std::to_string(100 + i) + ".txt", text);
  }
  // Whoever shortens keeps the short ones alone.
  asker_.say = [](const Prompt& prompt) -> Result<Reply> {
    if (!prompt.text.starts_with("MERGE")) return answer_from(prompt);
    std::string said;
    for (const Note& note : read_notes(prompt.text, [](std::size_t) { return true; })) {
      if (note.text.find("filler") == std::string::npos) said += line_of(note);
    }
    return FakeAsker::words(said + "[99999] invented\nno source\n");
  };
  const auto result = run();
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_GT(asked("MERGE"), 1U);
  EXPECT_EQ(asked("ANSWER"), 1U);
  ASSERT_EQ(result->sources.size(), 60U);
  EXPECT_EQ(result->sources[7].claim, "FACT 7");
  EXPECT_NE(result->sources[7].document.find("107.txt"), std::string::npos);
  EXPECT_EQ(result->answer.find("invented"), std::string::npos);
}

TEST_F(ResearchTest, ASmallerWindowMidwayMakesSmallerPartsAndLosesNothing) {
  asker_.window = 8000;
  asker_.target = "cloud/large";
  put("a.txt", lines(120, "z") + "FACT a\n");
  put("b.txt", lines(400, "w") + "FACT b\n");
  asker_.say = [&](const Prompt& prompt) -> Result<Reply> {
    if (!prompt.text.starts_with("PART") || asked("PART") != 2) return answer_from(prompt);
    // The cloud has gone, and a small model got what fitted.
    asker_.window = 1200;
    asker_.target = "here/small";
    Reply reply = FakeAsker::words("{\"claims\":[]}");
    reply.compacted = "1 text shortened";
    return reply;
  };
  const auto result = run();
  ASSERT_TRUE(result) << result.error().message;
  ASSERT_EQ(result->sources.size(), 2U);
  EXPECT_EQ(result->sources[1].place, "line 401");
  EXPECT_GT(asked("PART"), 5U);
  EXPECT_EQ(result->who, "here/small");
}

TEST_F(ResearchTest, AnswersThatAreCutOrOutOfFormAreAskedAgain) {
  put("a.txt", lines(60, "v") + "FACT a\n");
  put("b.txt", "FACT b\n");
  int parts = 0;
  asker_.say = [&](const Prompt& prompt) -> Result<Reply> {
    if (!prompt.text.starts_with("PART")) return answer_from(prompt);
    ++parts;
    if (parts == 1) {
      Reply reply = FakeAsker::words("{\"claims\":[{\"claim\":\"FACT");
      reply.stop_reason = "max_tokens";
      return reply;
    }
    if (prompt.text.find("FACT b") != std::string::npos) return FakeAsker::words("In words: b");
    return answer_from(prompt);
  };
  const auto result = run();
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->claims, 2U);
  EXPECT_EQ(result->sources.at(0).claim, "FACT a");
}

TEST_F(ResearchTest, ADocumentThatIsRefusedIsToldAndTheRestIsRead) {
  put("a.txt", "FORBIDDEN\n");
  put("b.txt", "FACT b\n");
  put("empty.txt", " \n");
  files_.emplace_back(folder_ + "/missing.txt");
  put("copy.txt", "FACT b\n");
  asker_.say = [](const Prompt& prompt) -> Result<Reply> {
    if (prompt.text.find("FORBIDDEN") == std::string::npos) return answer_from(prompt);
    return fail(ErrorCode::status, "not for me", 400);
  };
  const auto result = run();
  ASSERT_TRUE(result) << result.error().message;
  ASSERT_EQ(result->unread.size(), 3U);
  EXPECT_EQ(result->unread[0].why, "not for me");
  EXPECT_EQ(result->sources.size(), 1U);
  EXPECT_EQ(asked("PART"), 2U);
  ASSERT_EQ(view_.notes.size(), 1U);
  EXPECT_NE(view_.notes[0].find("read once"), std::string::npos);
}

TEST_F(ResearchTest, AWindowThatShrinksBeforeTheAnswerTakesFewerNotesAtOnce) {
  for (int i = 0; i < 30; ++i) {
    put(std::to_string(100 + i) + ".txt",
        "FACT " + std::to_string(i) + "\nFACT " + lines(1, "filler"));
  }
  asker_.window = 8000;
  bool first = true;
  asker_.say = [&](const Prompt& prompt) -> Result<Reply> {
    if (prompt.text.starts_with("ANSWER") && std::exchange(first, false)) {
      asker_.window = 900;
      return fail(ErrorCode::status, "prompt is too long: 901 tokens > 900 maximum", 400);
    }
    if (!prompt.text.starts_with("MERGE")) return answer_from(prompt);
    std::string said;
    for (const Note& note : read_notes(prompt.text, [](std::size_t) { return true; })) {
      if (note.text.find("filler") == std::string::npos) said += line_of(note);
    }
    return FakeAsker::words(said);
  };
  const auto result = run();
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_GT(asked("MERGE"), 1U);
  EXPECT_EQ(result->sources.size(), 30U);
  EXPECT_FALSE(view_.notes.empty());
}

TEST_F(ResearchTest, NumbersInADocumentAreNotTakenForSources) {
  put("a.txt", "nothing\n");
  put("b.txt", "FACT b, see [1] and [7]\n");
  put("c.txt", "FACT c\n");
  const auto result = run();
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->answer, "[1] FACT b, see (1) and (7)\n[2] FACT c\n");
  EXPECT_EQ(result->sources.size(), 2U);
  EXPECT_TRUE(result->no_sources.empty());
  EXPECT_EQ(result->sources[0].claim, "FACT b, see [1] and [7]");
}

TEST_F(ResearchTest, ACutAnswerIsToldAlsoWhenItIsKnownFromBefore) {
  put("a.txt", "FACT a\n");
  asker_.say = [](const Prompt& prompt) -> Result<Reply> {
    auto reply = answer_from(prompt);
    if (prompt.text.starts_with("ANSWER")) reply->stop_reason = "max_tokens";
    return reply;
  };
  for (int i = 0; i < 2; ++i) {
    const auto result = run();
    ASSERT_TRUE(result);
    EXPECT_TRUE(result->cut);
    EXPECT_EQ(asked("ANSWER"), 1U);
  }
  // With more room it is asked again.
  recipe_.answer_tokens = 300;
  asker_.say = [](const Prompt& prompt) { return answer_from(prompt); };
  EXPECT_FALSE(run()->cut);
  EXPECT_EQ(asked("ANSWER"), 2U);
}

TEST_F(ResearchTest, NotesBehindTheCutOfAShortFormAreNotLost) {
  for (int i = 0; i < 60; ++i) {
    std::string text = "FACT " + std::to_string(i) + "\n";
    for (int k = 0; k < 9; ++k) text += "FACT " + lines(1, "filler");
    put(std::to_string(100 + i) + ".txt", text);
  }
  // Whoever shortens has no room for more than three notes.
  asker_.say = [](const Prompt& prompt) -> Result<Reply> {
    if (!prompt.text.starts_with("MERGE")) return answer_from(prompt);
    std::string said;
    int kept = 0;
    for (const Note& note : read_notes(prompt.text, [](std::size_t) { return true; })) {
      if (note.text.find("filler") != std::string::npos) continue;
      if (++kept <= 3) said += line_of(note);
    }
    Reply reply = FakeAsker::words(said.empty() ? "none" : said);
    if (kept > 3) reply.stop_reason = "max_tokens";
    return reply;
  };
  const auto result = run();
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->sources.size(), 60U);
}

TEST_F(ResearchTest, ARefusalIsNoReading) {
  put("a.txt", "SECRET\n");
  put("b.txt", "FACT b\n");
  put("c.txt", "MUTE\n");
  asker_.say = [](const Prompt& prompt) -> Result<Reply> {
    if (prompt.text.find("MUTE") != std::string::npos) return FakeAsker::words(" ");
    if (prompt.text.find("SECRET") == std::string::npos) return answer_from(prompt);
    Reply reply = FakeAsker::words("I will not.");
    reply.stop_reason = "refusal";
    return reply;
  };
  auto result = run();
  ASSERT_TRUE(result) << result.error().message;
  ASSERT_EQ(result->unread.size(), 2U);
  EXPECT_EQ(result->unread[0].why, "here/small refused to read it");
  EXPECT_EQ(result->unread[1].why, "here/small said nothing of it");
  // Another day another model may: they are asked again.
  asker_.say = [](const Prompt& prompt) { return answer_from(prompt); };
  result = run();
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->unread.empty());
}

TEST_F(ResearchTest, AnAnswerWithoutWordsIsAnErrorAndNotSilence) {
  put("a.txt", "FACT a\n");
  asker_.say = [](const Prompt& prompt) -> Result<Reply> {
    if (!prompt.text.starts_with("ANSWER")) return answer_from(prompt);
    return FakeAsker::words("\n");
  };
  const auto silent = run();
  ASSERT_FALSE(silent);
  EXPECT_EQ(silent.error().code, ErrorCode::empty_answer);
  asker_.say = [](const Prompt& prompt) { return answer_from(prompt); };
  EXPECT_TRUE(run());
}

TEST_F(ResearchTest, NumbersWithoutASourceAreTold) {
  put("a.txt", "FACT a\n");
  asker_.say = [](const Prompt& prompt) -> Result<Reply> {
    if (!prompt.text.starts_with("ANSWER")) return answer_from(prompt);
    return FakeAsker::words("It is so [1], and more so [4][0].");
  };
  const auto result = run();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->sources.size(), 1U);
  EXPECT_EQ(result->no_sources, (std::vector<std::size_t>{4, 0}));
}

TEST_F(ResearchTest, NothingOnTheQuestionIsNoAnswer) {
  put("a.txt", "nothing here\n");
  const auto result = run();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->answer, "");
  EXPECT_EQ(asked("ANSWER"), 0U);
}

TEST_F(ResearchTest, AWindowWithoutRoomIsSaid) {
  put("a.txt", "x\n");
  asker_.window = 300;
  const auto result = run();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::too_large);
  EXPECT_NE(result.error().message.find("here/small"), std::string::npos);
}

}  // namespace
}  // namespace nl::work
