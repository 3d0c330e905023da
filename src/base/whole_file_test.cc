#include "base/whole_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

namespace nl {
namespace {

namespace fs = std::filesystem;

class WholeFile : public ::testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/nightlight-whole-XXXXXX";
    folder_ = ::mkdtemp(pattern);
  }
  void TearDown() override {
    std::error_code error;
    fs::remove_all(folder_, error);
  }
  mode_t mode(const std::string& path) const {
    struct stat status {};
    ::stat(path.c_str(), &status);
    return status.st_mode & 07777;
  }
  std::string folder_;
};

TEST_F(WholeFile, IsWrittenWithItsFoldersForTheUserAlone) {
  const std::string path = folder_ + "/a/b/file";
  ASSERT_TRUE(write_whole_file(path, "one"));
  ASSERT_TRUE(write_whole_file(path, "two"));
  EXPECT_EQ(read_whole_file(path, 3).value_or(""), "two");
  EXPECT_EQ(mode(path), 0600u);
  EXPECT_EQ(mode(folder_ + "/a"), 0700u);
  // Nothing is left beside it.
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ + "/a/b"), fs::directory_iterator()), 1);
}

TEST_F(WholeFile, WhatCannotBeReadSaysWhy) {
  EXPECT_EQ(read_whole_file(folder_ + "/none", 10).error().code, ErrorCode::not_found);
  EXPECT_EQ(read_whole_file(folder_, 10).error().code, ErrorCode::io);
  ASSERT_TRUE(write_whole_file(folder_ + "/file", "four"));
  EXPECT_EQ(read_whole_file(folder_ + "/file", 3).error().code, ErrorCode::io);
}

TEST_F(WholeFile, AFailedReplacementLeavesTheOldFile) {
  fs::create_directories(folder_ + "/taken/in it");
  EXPECT_FALSE(write_whole_file(folder_ + "/taken", "x"));
  EXPECT_TRUE(fs::is_directory(folder_ + "/taken"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1);
  ASSERT_TRUE(write_whole_file(folder_ + "/file", "x"));
  EXPECT_FALSE(write_whole_file(folder_ + "/file/below", "x"));
}

TEST_F(WholeFile, FoldersMadeAreNamedOutermostFirst) {
  const auto made = make_folders(folder_ + "/a/b");
  ASSERT_TRUE(made);
  EXPECT_EQ(*made, (std::vector<std::string>{folder_ + "/a", folder_ + "/a/b"}));
  EXPECT_TRUE(make_folders(folder_ + "/a/b")->empty());
}

// Each writes what only it writes: a mixture would be a half of somebody's.
TEST_F(WholeFile, TwoWritersNeverMakeAMixture) {
  const std::string path = folder_ + "/file";
  ASSERT_TRUE(write_whole_file(path, std::string(50'000, 'a')));
  std::atomic<int> failed{0};
  const auto write = [&](char c, std::size_t bytes) {
    for (int i = 0; i < 50; ++i) {
      if (!write_whole_file(path, std::string(bytes, c))) ++failed;
    }
  };
  std::jthread first([&] { write('a', 50'000); });
  std::jthread second([&] { write('b', 70'000); });
  for (int i = 0; i < 200; ++i) {
    const auto text = read_whole_file(path, 100'000);
    ASSERT_TRUE(text);
    ASSERT_EQ(text->size(), text->front() == 'a' ? 50'000u : 70'000u);
    ASSERT_EQ(text->find_first_not_of(text->front()), std::string::npos);
  }
  first.join();
  second.join();
  EXPECT_EQ(failed, 0);
}

}  // namespace
}  // namespace nl
