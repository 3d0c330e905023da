#include "work/shown.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "dialect/json.h"
#include "work/progress_line.h"

namespace nl::work {
namespace {

TEST(Shown, NothingInATextSteersTheTerminal) {
  EXPECT_EQ(visible("a\x1b[31mb\x07\r\n\tc\x7f"), "a[31mb\n\tc");
  EXPECT_EQ(visible("\xC2\x9b"
                    "31m \xC3\x84 \xC2\xA0"),
            "31m \xC3\x84 \xC2\xA0");
  EXPECT_EQ(visible("\xC2"), "\xC2");
}

Reply reply() {
  Reply made;
  made.tier = "local";
  made.provider = "engine";
  made.model = "gemma4:e4b";
  made.input_tokens = 1203;
  made.output_tokens = 240;
  made.cost_usd = 0;
  made.whole = std::chrono::milliseconds(4230);
  made.first_token = std::chrono::milliseconds(800);
  return made;
}

TEST(Shown, TheLineAboutAnAnswerHasWhoHowMuchAndHowLong) {
  EXPECT_EQ(line_about(reply()),
            "tier 3 local, engine/gemma4:e4b: 1203 tokens in, 240 out, $0, 4.2 s (first words "
            "after 0.8 s)");
  Reply moved = reply();
  moved.cost_usd = std::nullopt;
  moved.usage_estimated = true;
  moved.reason = "cloud/x: 529";
  const std::string line = line_about(moved);
  EXPECT_NE(line.find("(estimated)"), std::string::npos);
  EXPECT_NE(line.find("no known price"), std::string::npos);
  EXPECT_TRUE(line.ends_with("; cloud/x: 529"));
}

TEST(Shown, WhatIsWrongWithAnAnswerIsSaid) {
  EXPECT_EQ(trouble_of(reply()), "");
  Reply cut = reply();
  cut.stop_reason = "max_tokens";
  cut.compacted = "1 text shortened";
  const std::string trouble = trouble_of(cut);
  EXPECT_NE(trouble.find("1 text shortened"), std::string::npos);
  EXPECT_NE(trouble.find("ask research"), std::string::npos);
  EXPECT_NE(trouble.find("--max-tokens"), std::string::npos);
}

TEST(Shown, JsonIsSoundWhateverTheTextHolds) {
  Reply odd = reply();
  odd.text = "\"\n\x01\xff";
  documents::Document document;
  document.name = "a.pdf";
  document.kind = documents::Kind::pdf;
  document.notes = {"page 3 has no text"};
  dialect::Document parsed;
  const std::string text = json_of(odd, {document}, "ask");
  ASSERT_TRUE(parsed.parse(text)) << text;
  EXPECT_EQ(parsed.root()["files"].first()["kind"].text().utf8(), "pdf");
  EXPECT_EQ(parsed.root()["cost_usd"].number(), 0.0);
  ResearchResult result;
  result.answer = "x [1]";
  result.sources = {{1, "a.pdf", "page 2", "claim", "quote", true},
                    {2, "b.pdf", "pages 1 to 2", "claim two", "", false}};
  result.unread = {{"c.pdf", "behind a password"}};
  result.effort.asked = 2;
  result.effort.unpriced = 1;
  const std::string more = json_of(result);
  ASSERT_TRUE(parsed.parse(more)) << more;
  EXPECT_TRUE(parsed.root()["cost_usd"].is_null());
  EXPECT_EQ(
      sources_text(result),
      "\nSources\n[1] a.pdf, page 2: \"quote\"\n[2] b.pdf, pages 1 to 2: claim two (not found "
      "in these words)\n");
  EXPECT_NE(markdown_of(result, "Q").find("c.pdf: behind a password"), std::string::npos);
}

TEST(ProgressLine, FitsInEightyColumns) {
  char* written = nullptr;
  std::size_t size = 0;
  std::FILE* out = open_memstream(&written, &size);
  ASSERT_NE(out, nullptr);
  {
    ProgressLine line(out, Watched::terminal);
    ResearchProgress now;
    now.documents = 100'000;
    now.claims = 1'234'567;
    now.effort.asked = 1;
    now.document = std::string(200, 'a') + "/the_end.txt";
    for (now.done = 0; now.done < 5; ++now.done) line.progress(now);
    now.documents = 10;
    line.progress(now);
  }
  std::fclose(out);
  const std::string text(written, size);
  std::free(written);
  std::size_t longest = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\r', at), text.size());
    const std::string_view line = std::string_view(text).substr(at, end - at);
    if (line.starts_with("\x1b[K")) longest = std::max(longest, line.size() - 3);
    at = end + 1;
  }
  EXPECT_GT(longest, 70U);
  EXPECT_LT(longest, 80U);
  EXPECT_NE(text.find("...a"), std::string::npos) << text;
  EXPECT_NE(text.find("a/the_end.txt"), std::string::npos) << text;
}

TEST(ProgressLine, BarsAreFullAtTheEnd) {
  EXPECT_EQ(bar(0, 4, 4), "[    ]");
  EXPECT_EQ(bar(2, 4, 4), "[==  ]");
  EXPECT_EQ(bar(9, 4, 4), "[====]");
  EXPECT_EQ(bar(0, 0, 2), "[==]");
}

}  // namespace
}  // namespace nl::work
