#include "engine/partial_file.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "base/whole_file.h"
#include "http/digest.h"

namespace nl::engine {
namespace {

namespace fs = std::filesystem;

class PartialFileTest : public testing::Test {
 protected:
  PartialFileTest() {
    std::string pattern = (fs::temp_directory_path() / "partial-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
  }
  ~PartialFileTest() override { fs::remove_all(root_); }

  Result<PartialFile> open(std::uint64_t size, const std::string& version = "v1") {
    return PartialFile::open((root_ / "x").string(), size, version, PartSizes{4, 3});
  }

  fs::path root_;
};

TEST_F(PartialFileTest, PartsCoverTheFileAndAreFew) {
  const auto parts = split_into_parts(11, PartSizes{4, 3});
  ASSERT_EQ(parts.size(), 4U);
  EXPECT_EQ(parts[0].end, 4U);
  EXPECT_EQ(parts[3].begin, 10U);
  EXPECT_EQ(parts[3].end, 11U);
  EXPECT_EQ(split_into_parts(3, PartSizes{4, 3}).size(), 1U);
  EXPECT_LE(split_into_parts(40ULL << 30, PartSizes()).size(), 65U);
  EXPECT_TRUE(split_into_parts(0, PartSizes()).empty());
}

TEST_F(PartialFileTest, GoesOnFromWhatWasSaved) {
  {
    auto file = open(7);
    ASSERT_TRUE(file.has_value());
    ASSERT_TRUE(file->write(1, "ef").has_value());
    ASSERT_TRUE(file->write(0, "abc").has_value());
    ASSERT_TRUE(file->save().has_value());
    ASSERT_TRUE(file->write(1, "g").has_value());  // not saved: fetched again
  }
  auto file = open(7);
  ASSERT_TRUE(file.has_value());
  EXPECT_EQ(file->done(), 5U);
  ASSERT_TRUE(file->write(0, "d").has_value());
  ASSERT_TRUE(file->write(1, "g").has_value());
  EXPECT_EQ(file->digest([](std::uint64_t) {}).value_or(""), http::sha256_hex("abcdefg"));
  EXPECT_EQ(file->beginning(3).value_or(""), "abc");
  EXPECT_FALSE(file->write(1, "h").has_value()) << "more than the part has";
  ASSERT_TRUE(file->finish((root_ / "named").string()).has_value());
  EXPECT_TRUE(fs::exists(root_ / "named"));
  EXPECT_FALSE(fs::exists(root_ / "x.partial"));
  EXPECT_FALSE(fs::exists(root_ / "x.progress"));
}

TEST_F(PartialFileTest, AnotherVersionSizeOrAnyJunkStartsOver) {
  const auto done_after = [&](const std::string& progress, const std::string& version) {
    std::ofstream(root_ / "x.progress") << progress;
    const auto file = open(7, version);
    return file ? file->done() : 99;
  };
  std::ofstream(root_ / "x.partial") << "abcdefg";
  const std::string good = R"({"format":1,"size":7,"version":"v1","parts":[[0,4,4],[4,7,1]]})";
  EXPECT_EQ(done_after(good, "v1"), 5U);
  EXPECT_EQ(done_after(good, "v2"), 0U);
  for (const std::string progress :
       {"", "{}", R"({"format":1,"size":8,"version":"v1","parts":[[0,8,8]]})",
        R"({"format":1,"size":7,"version":"v1","parts":[[0,4,5],[4,7,1]]})",
        R"({"format":1,"size":7,"version":"v1","parts":[[0,4,4],[5,7,1]]})",
        R"({"format":1,"size":7,"version":"v1","parts":[[0,4,4]]})",
        R"({"format":1,"size":7,"version":"v1","parts":[[0,4,4],[4,7,1]])",
        R"({"format":1,"size":7,"version":"v1","parts":[[0,7,-1]]})",
        R"({"format":1,"size":7,"version":"v1","parts":[]})"}) {
    EXPECT_EQ(done_after(progress, "v1"), 0U) << progress;
  }
}

TEST_F(PartialFileTest, TagsThatDifferInOneOddCharacterAreDifferent) {
  {
    auto file = open(7, "a+b \"1\"");
    ASSERT_TRUE(file.has_value() && file->write(0, "abcd").has_value());
    ASSERT_TRUE(file->save().has_value());
  }
  EXPECT_EQ(open(7, "a+b \"1\"")->done(), 4U);
  EXPECT_EQ(open(7, "a/b \"1\"")->done(), 0U);
}

TEST_F(PartialFileTest, ProgressWithoutItsFileCountsForNothing) {
  std::ofstream(root_ / "x.progress")
      << R"({"format":1,"size":7,"version":"v1","parts":[[0,4,4],[4,7,1]]})";
  const auto file = open(7);
  ASSERT_TRUE(file.has_value());
  EXPECT_EQ(file->done(), 0U);
}

TEST_F(PartialFileTest, ALinkIsNotWrittenThrough) {
  std::ofstream(root_ / "precious") << "precious";
  fs::create_symlink(root_ / "precious", root_ / "x.partial");
  auto file = open(7);
  ASSERT_TRUE(file.has_value());
  ASSERT_TRUE(file->write(0, "abcd").has_value());
  EXPECT_EQ(read_whole_file((root_ / "precious").string(), 100).value_or(""), "precious");
}

}  // namespace
}  // namespace nl::engine
