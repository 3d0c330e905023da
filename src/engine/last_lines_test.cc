#include "engine/last_lines.h"

#include <gtest/gtest.h>

namespace nl::engine {
namespace {

void feed(LastLines& lines, std::string_view bytes) {
  lines.feed(bytes, [](std::string_view) {});
}

TEST(LastLines, the_last_word_about_an_error_is_the_telling_one) {
  LastLines lines;
  EXPECT_EQ(lines.telling(), "");
  feed(lines, "loading\nllama_model_load: ERROR loa");
  feed(lines, "ding model: no memory\nbye\n\n  \n");
  EXPECT_EQ(lines.telling(), "llama_model_load: ERROR loading model: no memory");
  LastLines calm;
  feed(calm, "one\ntwo");
  EXPECT_EQ(calm.telling(), "two");
  feed(calm, "\n");
  EXPECT_EQ(calm.telling(), "two");
}

TEST(LastLines, what_is_kept_is_small_and_printable) {
  LastLines lines;
  for (int i = 0; i < 1000; ++i) feed(lines, std::string(5000, 'x') + "\n");
  EXPECT_LE(lines.all().size(), LastLines::kLines * (LastLines::kLineBytes + 1));
  feed(lines, "\x1b[31mred\x07\n");
  EXPECT_NE(lines.all().find(" [31mred "), std::string::npos);
}

TEST(LastLines, each_whole_line_is_told_once) {
  LastLines lines;
  std::string told;
  for (const char* part : {"a", "b\nc", "\n", "d"}) {
    lines.feed(part, [&](std::string_view line) { told += std::string(line) + ";"; });
  }
  EXPECT_EQ(told, "ab;c;");
}

}  // namespace
}  // namespace nl::engine
