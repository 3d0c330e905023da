#include "models/model_record.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "models/engine_choice.h"
#include "models/pull_progress.h"

namespace nl::models {
namespace {

namespace fs = std::filesystem;

class ModelRecordTest : public testing::Test {
 protected:
  ModelRecordTest() {
    std::string pattern = (fs::temp_directory_path() / "record-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
    environment_.set("NIGHTLIGHT_MODELS", root_.string());
    EXPECT_TRUE(model_store(environment_).prepare().has_value());
  }
  ~ModelRecordTest() override { fs::remove_all(root_); }

  // Puts a record there, and as many of its blobs as `blobs` says.
  void put(const std::string& name, const std::string& date, char digit, int blobs = 2) {
    const engine::ModelStore store = model_store(environment_);
    ModelRecord record;
    record.name = name;
    record.date = date;
    record.source = "a \"source\"";
    record.model = {std::string(64, digit), 5};
    record.projector = BlobRecord{std::string(63, digit) + "0", 5};
    ASSERT_TRUE(store.write_manifest(name, record_json(record)).has_value());
    if (blobs > 0) std::ofstream(store.blob(record.model.hex)) << "bytes";
    if (blobs > 1) std::ofstream(store.blob(record.projector->hex)) << "bytes";
  }

  EngineChoice choose(const std::string& model) {
    config::EngineConfig config;
    config.model = model;
    return choose_engine(config, environment_, (root_ / "bin").string());
  }

  fs::path root_;
  Environment environment_;
};

TEST_F(ModelRecordTest, SurvivesBeingWritten) {
  put("gemma4:26b", "2026-11-25T10:00:00.000Z", 'a');
  const auto read = find_record(model_store(environment_), "library/gemma4:26b");
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->source, "a \"source\"");
  EXPECT_EQ(read->model.bytes, 5U);
  EXPECT_TRUE(read->projector.has_value());
  EXPECT_TRUE(read->verified);
}

TEST_F(ModelRecordTest, JunkIsNoRecord) {
  for (const std::string_view text :
       {"", "{}", "[1]", R"({"format":2,"name":"a:b"})",
        R"({"format":1,"name":"../x","model":{"digest":"sha256:a","size":1}})",
        R"({"format":1,"name":"a:b","model":{"digest":"sha256:../../x","size":1}})"}) {
    EXPECT_FALSE(parse_record(text).has_value()) << text;
  }
}

TEST_F(ModelRecordTest, AutoIsTheNewestThatIsWhole) {
  put("old:1", "2026-11-24T10:00:00.000Z", 'a');
  put("new:1", "2026-11-25T10:00:00.000Z", 'b');
  put("broken:1", "2026-11-26T10:00:00.000Z", 'c', 1);
  const EngineChoice choice = choose("auto");
  EXPECT_EQ(choice.model.name, "new:1");
  EXPECT_FALSE(choice.self_test);
  EXPECT_FALSE(choice.ember);
  EXPECT_TRUE(choice.eager);
  EXPECT_TRUE(choice.model.images);
  EXPECT_EQ(choice.wanted.model, (root_ / "blobs" / ("sha256-" + std::string(64, 'b'))).string());
  EXPECT_FALSE(choice.wanted.projector.empty());
  EXPECT_EQ(choose("old:1").model.name, "old:1");
}

TEST_F(ModelRecordTest, ANameThatIsNotHereIsSaid) {
  const EngineChoice choice = choose("gemma4:26b");
  EXPECT_EQ(choice.model.name, "gemma4:26b");
  EXPECT_FALSE(choice.ember);
  EXPECT_NE(choice.trouble.find("nightlight pull gemma4:26b"), std::string::npos);
  EXPECT_TRUE(choice.wanted.model.starts_with('/'));
}

TEST(PullProgressTest, ALineSaysHowFarAndHowLong) {
  EXPECT_EQ(progress_line({"model", 7'200'000'000, 14'400'000'000, 40'000'000}),
            "model     [############............]  50 %  7.2 GB of 14.4 GB  40.0 MB/s  3m00s left");
  EXPECT_EQ(progress_line({"model", 500, 500, 1}),
            "model     [########################] 100 %  0.5 KB of 0.5 KB");
}

}  // namespace
}  // namespace nl::models
