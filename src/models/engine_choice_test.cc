#include "models/engine_choice.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace nl::models {
namespace {

namespace fs = std::filesystem;

class EngineChoiceTest : public testing::Test {
 protected:
  EngineChoiceTest() {
    std::string pattern = (fs::temp_directory_path() / "choice-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
    fs::create_directories(root_ / "bin");
    fs::create_directories(root_ / "lib/nightlight");
    environment_.set("PATH", "relative:/usr/games");
  }
  ~EngineChoiceTest() override { fs::remove_all(root_); }

  EngineChoice choose() { return choose_engine(config_, environment_, (root_ / "bin").string()); }

  fs::path root_;
  config::EngineConfig config_;
  Environment environment_;
};

TEST_F(EngineChoiceTest, WithoutAModelTheSelfTestModelWaitsToBeAsked) {
  std::ofstream(root_ / "lib/nightlight/ember.gguf") << "not a model";
  const EngineChoice choice = choose();
  EXPECT_TRUE(choice.self_test);
  EXPECT_TRUE(choice.ember);
  EXPECT_FALSE(choice.eager);
  EXPECT_EQ(choice.model.name, "ember");
  EXPECT_EQ(choice.wanted.model, (root_ / "lib/nightlight/ember.gguf").string());
  EXPECT_NE(choice.trouble.find("ember.gguf"), std::string::npos);
  std::ofstream(root_ / "bin/ember.gguf") << "nearer";
  EXPECT_EQ(choose().wanted.model, (root_ / "bin/ember.gguf").string());
}

TEST_F(EngineChoiceTest, EmberByNameIsNoStandIn) {
  config_.model = "ember";
  const EngineChoice choice = choose();
  EXPECT_TRUE(choice.ember);
  EXPECT_FALSE(choice.self_test);
  EXPECT_TRUE(choice.eager);
}

TEST_F(EngineChoiceTest, AModelIsNamedByItsFileAndAMissingOneIsSaid) {
  config_.model = (root_ / "gemma-4-26b-a4b-it.gguf").string();
  config_.start = config::EngineStart::on_demand;
  const EngineChoice choice = choose();
  EXPECT_EQ(choice.model.name, "gemma-4-26b-a4b-it");
  EXPECT_FALSE(choice.ember);
  EXPECT_FALSE(choice.eager);
  EXPECT_FALSE(choice.model.images);
  EXPECT_NE(choice.trouble.find("gemma-4-26b-a4b-it.gguf"), std::string::npos);
  std::ofstream(root_ / "mmproj-f16.gguf") << "x";
  EXPECT_FALSE(choose().model.images) << "not a projector";
}

TEST_F(EngineChoiceTest, ProgramsAreLookedForFromTheNamedToThePath) {
  environment_.set("NIGHTLIGHT_LLAMA_SERVER", "/opt/llama-server");
  EXPECT_EQ(choose().wanted.programs,
            (std::vector<std::string>{
                "/opt/llama-server", (root_ / "engine/bin/llama-server").string(),
                (root_ / "lib/nightlight/llama-server").string(), "/usr/games/llama-server"}));
  config_.server = "/mine/llama-server";
  EXPECT_EQ(choose().wanted.programs, (std::vector<std::string>{"/mine/llama-server"}));
}

}  // namespace
}  // namespace nl::models
