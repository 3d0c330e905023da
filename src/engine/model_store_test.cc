#include "engine/model_store.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace nl::engine {
namespace {

namespace fs = std::filesystem;

class ModelStoreTest : public testing::Test {
 protected:
  ModelStoreTest() {
    std::string pattern = (fs::temp_directory_path() / "store-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
  }
  ~ModelStoreTest() override { fs::remove_all(root_); }

  fs::path root_;
  std::string hex_ = std::string(64, 'a');
};

TEST_F(ModelStoreTest, IsAFolderOfOursAlone) {
  const ModelStore store((root_ / "deep/models").string());
  EXPECT_TRUE(store.manifests().empty());
  ASSERT_TRUE(store.prepare().has_value());
  struct stat found {};
  ASSERT_EQ(::stat((root_ / "deep/models/blobs").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0700U);
  EXPECT_FALSE(ModelStore("").prepare().has_value());
  EXPECT_TRUE(ModelStore("").manifests().empty());
}

TEST_F(ModelStoreTest, TheSecondWriterIsToldOfTheFirst) {
  const ModelStore store(root_.string());
  {
    const auto first = store.lock();
    ASSERT_TRUE(first.has_value());
    const auto second = store.lock();
    ASSERT_FALSE(second.has_value());
    EXPECT_NE(second.error().message.find(std::to_string(::getpid())), std::string::npos);
  }
  EXPECT_TRUE(store.lock().has_value());
}

TEST_F(ModelStoreTest, ManifestsAreFoundByAnySpellingAndNothingLeavesTheFolder) {
  const ModelStore store(root_.string());
  ASSERT_TRUE(store.prepare().has_value());
  ASSERT_TRUE(store.write_manifest("gemma4:26b", "one").has_value());
  ASSERT_TRUE(store.write_manifest("library/gemma4:26b", "two").has_value());
  ASSERT_TRUE(store.write_manifest("hf:a/b/c.gguf", "three").has_value());
  ASSERT_TRUE(
      store
          .write_manifest("hf:a/b/" + std::string(90, 'c') + "/" + std::string(90, 'd') + ".gguf",
                          "four")
          .has_value());
  EXPECT_EQ(store.manifests().size(), 3U);
  EXPECT_FALSE(store.write_manifest("../x:y", "evil").has_value());
  EXPECT_FALSE(store.remove_manifest("../x:y").has_value());
  EXPECT_TRUE(store.remove_manifest("gemma4:26b").has_value());
  EXPECT_FALSE(store.remove_manifest("gemma4:26b").has_value());
}

TEST_F(ModelStoreTest, OnlyBlobsWithoutANameGo) {
  const ModelStore store(root_.string());
  ASSERT_TRUE(store.prepare().has_value());
  const std::string other(64, 'b');
  for (const std::string& path :
       {store.blob(hex_), store.blob(other), store.blob(other) + ".partial"}) {
    std::ofstream(path) << "bytes";
  }
  EXPECT_TRUE(store.has_blob(hex_, 5));
  EXPECT_FALSE(store.has_blob(hex_, 6));
  EXPECT_FALSE(store.has_blob("../" + hex_, 5));
  store.remove_blobs_except({hex_}, Unfinished::keep);
  EXPECT_TRUE(store.has_blob(hex_, 5));
  EXPECT_FALSE(store.has_blob(other, 5));
  EXPECT_TRUE(fs::exists(store.blob(other) + ".partial"));
  store.remove_blobs_except({hex_}, Unfinished::remove);
  EXPECT_FALSE(fs::exists(store.blob(other) + ".partial"));
}

}  // namespace
}  // namespace nl::engine
