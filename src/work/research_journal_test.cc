#include "work/research_journal.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace nl::work {
namespace {

constexpr const char* kKey = R"({"research":1,"question":"q"})";

class JournalTest : public testing::Test {
 protected:
  JournalTest() : folder_("/tmp/nl-work-XXXXXX") {
    if (mkdtemp(folder_.data()) == nullptr) throw std::runtime_error("no temporary folder");
  }
  ~JournalTest() override { std::filesystem::remove_all(folder_); }

  std::string path() const { return folder_ + "/new/journal.jsonl"; }
  ResearchJournal open() const {
    auto journal = ResearchJournal::open(path(), kKey);
    EXPECT_TRUE(journal) << journal.error().message;
    return std::move(*journal);
  }
  std::string text() const {
    std::ifstream file(path(), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  static PartNotes notes(std::size_t from, std::size_t to, const std::string& claim) {
    PartNotes made;
    made.document = "d1";
    made.name = "a.txt";
    made.from = from;
    made.to = to;
    made.who = "engine/gemma";
    made.claims = {{claim, "quote \"x\"\n", "line 3", true}};
    return made;
  }

  std::string folder_;
};

TEST_F(JournalTest, KnowsAfterwardsWhatWasAdded) {
  {
    ResearchJournal journal = open();
    EXPECT_TRUE(journal.add(notes(10, 20, "second")));
    EXPECT_TRUE(journal.add(notes(0, 10, "first")));
    EXPECT_TRUE(journal.add_text("t1", {"a text\n", true}));
  }
  const ResearchJournal again = open();
  EXPECT_EQ(again.part_end("d1", 0), 10U);
  EXPECT_EQ(again.part_end("d1", 10), 20U);
  EXPECT_FALSE(again.part_end("d1", 20));
  EXPECT_FALSE(again.part_end("d2", 0));
  const auto places = again.parts_of("d1");
  ASSERT_EQ(places.size(), 2U);
  const auto first = again.read(places[0]);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->claims.at(0).text, "first");
  EXPECT_EQ(first->claims.at(0).quote, "quote \"x\"\n");
  EXPECT_TRUE(first->claims.at(0).found);
  EXPECT_EQ(first->name + " " + first->who, "a.txt engine/gemma");
  EXPECT_EQ(again.read(places[1])->claims.at(0).text, "second");
  ASSERT_TRUE(again.text("t1"));
  EXPECT_EQ(again.text("t1")->text, "a text\n");
  EXPECT_TRUE(again.text("t1")->cut);
  EXPECT_FALSE(again.text("t2"));
  struct stat status {};
  ASSERT_EQ(stat(path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(JournalTest, ATornLineAtAnyByteCostsThatLineAlone) {
  {
    ResearchJournal journal = open();
    EXPECT_TRUE(journal.add(notes(0, 10, "first")));
    EXPECT_TRUE(journal.add(notes(10, 20, "second")));
  }
  const std::string whole = text();
  const std::size_t first_end = whole.find('\n', whole.find('\n') + 1) + 1;
  for (std::size_t cut = first_end; cut < whole.size(); cut += 7) {
    std::ofstream(path(), std::ios::binary | std::ios::trunc) << whole.substr(0, cut);
    ResearchJournal journal = open();
    EXPECT_EQ(journal.part_end("d1", 0), 10U);
    EXPECT_FALSE(journal.part_end("d1", 10)) << cut;
    EXPECT_TRUE(journal.add(notes(10, 20, "second")));
    EXPECT_EQ(text(), whole);
  }
}

TEST_F(JournalTest, IsForOneProcessAtATime) {
  ResearchJournal journal = open();
  EXPECT_TRUE(journal.add(notes(0, 10, "first")));
  const pid_t child = fork();
  if (child == 0) {
    const auto taken = ResearchJournal::open(path(), kKey, ResearchJournal::Start::anew);
    _exit(!taken && taken.error().code == ErrorCode::io ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(journal.parts_of("d1").size(), 1U);
}

TEST_F(JournalTest, BeginsAnewWhenToldTo) {
  {
    ResearchJournal journal = open();
    EXPECT_TRUE(journal.add(notes(0, 10, "first")));
  }
  auto journal = ResearchJournal::open(path(), "another", ResearchJournal::Start::anew);
  ASSERT_TRUE(journal) << journal.error().message;
  EXPECT_FALSE(journal->part_end("d1", 0));
}

TEST_F(JournalTest, IsForOneQuestion) {
  { const ResearchJournal journal = open(); }
  const auto other = ResearchJournal::open(path(), R"({"research":1,"question":"other"})");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::config);
  EXPECT_NE(other.error().message.find(path()), std::string::npos);
}

TEST_F(JournalTest, PartsOfAnotherCutAreNoHoleAndNoDouble) {
  ResearchJournal journal = open();
  EXPECT_TRUE(journal.add(notes(0, 10, "a")));
  EXPECT_TRUE(journal.add(notes(5, 10, "old cut")));
  EXPECT_TRUE(journal.add(notes(10, 30, "b")));
  EXPECT_EQ(journal.parts_of("d1").size(), 2U);
}

}  // namespace
}  // namespace nl::work
