#include "work/note_list.h"

#include <gtest/gtest.h>

namespace nl::work {
namespace {

using Numbers = std::vector<std::size_t>;

TEST(Notes, NumbersAreReadInEveryUsualSpelling) {
  EXPECT_EQ(numbers_in("A [3][17], B [2, 4] and C [3]."), (Numbers{3, 17, 2, 4}));
  EXPECT_EQ(numbers_in("[x] [ 3] [] [12345678901] a[1"), (Numbers{}));
  EXPECT_EQ(numbers_in("[1;2] [[5]]"), (Numbers{1, 2, 5}));
}

TEST(Notes, NumbersOfATextItselfAreNoSources) {
  EXPECT_EQ(without_numbers("See [3][17], [2, 4] and [a]; a[1"),
            "See (3)(17), (2, 4) and [a]; a[1");
  EXPECT_EQ(numbers_in(line_of({{5}, without_numbers("It grew [12].")})), (Numbers{5}));
}

TEST(Notes, AreLinesWithASourceThatExists) {
  const auto notes = read_notes(
      "Here are the notes:\n- [1][2] First, joined. \n[9] invented\n* Second [2, 9] "
      "here\r\n[3]\n\n",
      [](std::size_t number) { return number <= 3; });
  ASSERT_EQ(notes.size(), 2U);
  EXPECT_EQ(notes[0].sources, (Numbers{1, 2}));
  EXPECT_EQ(notes[0].text, "First, joined.");
  EXPECT_EQ(notes[1].sources, (Numbers{2}));
  EXPECT_EQ(line_of(notes[0]), "[1][2] First, joined.\n");
}

}  // namespace
}  // namespace nl::work
