#include "app/ask_words.h"

#include <gtest/gtest.h>

#include <fstream>

namespace nl::app {
namespace {

class AskWordsTest : public testing::Test {
 protected:
  AskWordsTest() : folder_("/tmp/nl-words-XXXXXX") {
    if (mkdtemp(folder_.data()) == nullptr) throw std::runtime_error("no temporary folder");
    std::ofstream(file()) << "x";
    work::Recipe summary;
    summary.name = "summary";
    recipes_.list = {summary};
    recipes_.broken.emplace("review", Error(ErrorCode::config, "review.toml:2: wrong"));
  }
  ~AskWordsTest() override { std::filesystem::remove_all(folder_); }

  std::string file() const { return folder_ + "/report.txt"; }
  Result<AskWords> sort(const std::vector<std::string>& words) const {
    return sort_words(words, recipes_);
  }
  std::string mistake(const std::vector<std::string>& words) const {
    const auto sorted = sort(words);
    return sorted ? std::string() : sorted.error().message;
  }

  std::string folder_;
  Recipes recipes_;
};

TEST_F(AskWordsTest, FilesThenTheQuestion) {
  const auto sorted = sort({file(), folder_, "-", "what is new?"});
  ASSERT_TRUE(sorted);
  EXPECT_EQ(sorted->recipe, nullptr);
  EXPECT_EQ(sorted->files, (std::vector<std::string>{file(), folder_, "-"}));
  EXPECT_EQ(sorted->words, "what is new?");
  EXPECT_EQ(sort({"why"})->words, "why");
  EXPECT_EQ(sort({"is 3.5 enough"})->words, "is 3.5 enough");
  EXPECT_TRUE(sort({})->words.empty());
}

TEST_F(AskWordsTest, AFirstWordMayBeARecipe) {
  const auto sorted = sort({"summary", file()});
  ASSERT_TRUE(sorted);
  EXPECT_EQ(sorted->recipe, recipes_.find("summary"));
  EXPECT_EQ(sorted->files.size(), 1U);
  // Later it is a word like any other.
  EXPECT_EQ(sort({file(), "summary"})->words, "summary");
  EXPECT_EQ(sort({file(), "summary"})->recipe, nullptr);
}

TEST_F(AskWordsTest, AMisspeltFileIsNoQuestion) {
  EXPECT_NE(mistake({folder_ + "/reprot.txt"}).find("reprot.txt"), std::string::npos);
  EXPECT_NE(mistake({"reprot.txt", "what is new?"}).find("reprot.txt"), std::string::npos);
  EXPECT_NE(mistake({"reprot.pdf"}).find("reprot.pdf"), std::string::npos);
  EXPECT_NE(mistake({"what", "is", "new?"}).find("in quotes"), std::string::npos);
}

TEST_F(AskWordsTest, ARecipeWhoseFileIsWrongIsNotPassedOver) {
  EXPECT_EQ(mistake({"review", file()}), "review.toml:2: wrong");
}

}  // namespace
}  // namespace nl::app
