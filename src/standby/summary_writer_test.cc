#include "standby/summary_writer.h"

#include <gtest/gtest.h>

namespace nl::standby {
namespace {

const std::string kGood =
    "The user wants the parser fixed. src/parser.cc was read and changed; the tests pass now.";

std::string usable(std::string text, chat::StopReason stop = chat::StopReason::end_turn) {
  return usable_summary({std::move(text), stop});
}

TEST(UsableSummary, what_tells_something_stands_without_its_margins) {
  EXPECT_EQ(usable(kGood), kGood);
  EXPECT_EQ(usable("\n  " + kGood + "\n\n"), kGood);
}

TEST(UsableSummary, nothing_and_next_to_nothing_do_not) {
  EXPECT_EQ(usable(""), "");
  EXPECT_EQ(usable(" \n\t "), "");
  EXPECT_EQ(usable("Done."), "");
}

TEST(UsableSummary, the_models_own_markup_is_no_summary) {
  EXPECT_EQ(usable(kGood + "<|tool_call>call:Bash{}<tool_call|>"), "");
  EXPECT_EQ(usable("<|channel>thought\n" + kGood), "");
  EXPECT_EQ(usable(kGood + std::string(1, '\0')), "");
  EXPECT_EQ(usable(kGood + "\x1b[31m"), "");
}

TEST(UsableSummary, a_loop_is_none) {
  std::string loop;
  for (int i = 0; i < 40; ++i) loop += "The file was read again and again. ";
  EXPECT_EQ(usable(loop), "");
  std::string list;
  for (int i = 0; i < 60; ++i) list += "src/part" + std::to_string(i) + ".cc was read whole\n";
  EXPECT_NE(usable(list), "");
}

TEST(UsableSummary, one_that_ran_out_of_room_ends_with_a_whole_sentence) {
  EXPECT_EQ(usable(kGood + " The next step is to", chat::StopReason::max_tokens), kGood);
  EXPECT_EQ(usable(std::string(300, 'a'), chat::StopReason::max_tokens), "");
  EXPECT_EQ(usable(kGood, chat::StopReason::refusal), "");
  EXPECT_EQ(usable(kGood, chat::StopReason::tool_use), "");
}

TEST(UsableSummary, an_endless_one_is_none) {
  std::string words;
  for (int i = 0; i < 4000; ++i) words += "word" + std::to_string(i) + " ";
  EXPECT_EQ(usable(words), "");
}

}  // namespace
}  // namespace nl::standby
