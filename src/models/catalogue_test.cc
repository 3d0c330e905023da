#include "models/catalogue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "engine/memory_rule.h"
#include "engine/model_name.h"

namespace nl::models {
namespace {

constexpr double kMiB = 1ULL << 20U;
constexpr double kGiB = 1ULL << 30U;

const engine::CatalogueModel* find(const engine::Catalogue& catalogue, const std::string& id) {
  for (const engine::CatalogueModel& model : catalogue.models) {
    if (model.id == id) return &model;
  }
  return nullptr;
}

TEST(Catalogue, IsWholeAndBestFirst) {
  const auto parsed = parse_catalogue(kCatalogueText);
  ASSERT_TRUE(parsed) << parsed.error().message;
  std::string order;
  for (const engine::CatalogueModel& model : parsed->models) {
    order += model.id + " ";
    EXPECT_EQ(model.files.front().quant, "QAT Q4_0") << "the official file comes first";
    EXPECT_NE(std::find(model.inputs.begin(), model.inputs.end(), "text"), model.inputs.end());
    EXPECT_FALSE(model.tools.empty());
    for (const engine::CatalogueFile& file : model.files) {
      EXPECT_LE(file.active_bytes, file.bytes) << model.id << " " << file.quant;
      // Bits for each parameter: of a file of 4 to 9 bits.
      const double bits =
          static_cast<double>(file.bytes) * 8 / static_cast<double>(model.parameters);
      EXPECT_GT(bits, 4.0) << model.id << " " << file.quant;
      EXPECT_LT(bits, 9.5) << model.id << " " << file.quant;
      if (file.pull.empty()) continue;
      EXPECT_TRUE(engine::parse_model_name(file.pull)) << file.pull;
    }
  }
  EXPECT_EQ(order, "31b 26b 12b e4b e2b ");
  EXPECT_EQ(catalogue().models.size(), 5U);
}

// Checkpoints in MiB, and K/V in GiB of one slot with batches of 512, by tokens of context.
TEST(Catalogue, HasTheShapesThatWereMeasured) {
  struct Row {
    const char* id;
    double checkpoint_mib;
    std::map<std::uint32_t, double> kv_gib;
  };
  const std::vector<Row> rows = {
      {"e2b", 6, {{8192, 0.06}, {16384, 0.11}, {32768, 0.20}, {65536, 0.39}, {131072, 0.76}}},
      {"e4b", 20, {{8192, 0.16}, {16384, 0.29}, {32768, 0.54}, {65536, 1.04}, {131072, 2.04}}},
      {"12b", 320, {{8192, 0.59}, {16384, 0.72}, {32768, 0.97}, {65536, 1.47}, {262144, 4.47}}},
      {"26b", 200, {{8192, 0.45}, {16384, 0.61}, {32768, 0.92}, {65536, 1.54}, {262144, 5.29}}},
      {"31b", 800, {{8192, 1.80}, {16384, 2.42}, {32768, 3.67}, {65536, 6.17}, {262144, 21.2}}},
  };
  const engine::Catalogue all = catalogue();
  for (const Row& row : rows) {
    const engine::CatalogueModel* model = find(all, row.id);
    ASSERT_NE(model, nullptr) << row.id;
    const engine::GgufFacts facts = engine::facts_of(*model, model->files.front());
    EXPECT_NEAR(static_cast<double>(engine::checkpoint_bytes(facts)) / kMiB, row.checkpoint_mib,
                0.1);
    for (const auto& [context, gib] : row.kv_gib) {
      engine::LaunchPlan plan;
      plan.slots = 1;
      plan.batch_tokens = 512;
      plan.context_tokens = context;
      const double bytes = static_cast<double>(engine::kv_bytes(facts, plan));
      EXPECT_NEAR(bytes / kGiB, gib, gib > 10 ? 0.1 : 0.011) << row.id << " " << context;
    }
  }
}

TEST(Catalogue, HasTheFiguresOfTheMakers) {
  struct Row {
    const char* id;
    double parameters;
    double active;
    std::uint32_t context;
    double file_gb;
    double active_gb;
  };
  const std::vector<Row> rows = {{"e2b", 5.1, 2.3, 131072, 2.9, 1.3},
                                 {"e4b", 8.0, 4.5, 131072, 4.5, 2.5},
                                 {"12b", 11.95, 11.95, 262144, 6.98, 6.7},
                                 {"26b", 25.2, 3.8, 262144, 14.4, 2.2},
                                 {"31b", 30.7, 30.7, 262144, 17.5, 17.3}};
  const engine::Catalogue all = catalogue();
  for (const Row& row : rows) {
    const engine::CatalogueModel* model = find(all, row.id);
    ASSERT_NE(model, nullptr) << row.id;
    EXPECT_NEAR(static_cast<double>(model->parameters) / 1e9, row.parameters, 0.01);
    EXPECT_NEAR(static_cast<double>(model->active_parameters) / 1e9, row.active, 0.01);
    EXPECT_EQ(model->shape.context_length, row.context);
    EXPECT_NEAR(static_cast<double>(model->files.front().bytes) / 1e9, row.file_gb, 0.01);
    EXPECT_NEAR(static_cast<double>(model->files.front().active_bytes) / 1e9, row.active_gb, 0.01);
  }
  // What the experts leave idle is what the whole and the active bytes differ by.
  const engine::CatalogueModel* moe = find(all, "26b");
  const engine::GgufFacts facts = engine::facts_of(*moe, moe->files.front());
  const double idle = static_cast<double>(facts.expert_bytes) * (1 - 8.0 / 128);
  EXPECT_NEAR(static_cast<double>(facts.tensor_bytes) - idle, 2.2e9, 0.1e9);
}

TEST(Catalogue, RefusesWhatIsIncomplete) {
  const std::string good(kCatalogueText);
  const auto without = [&good](const std::string& part, const std::string& instead) {
    std::string text = good;
    const std::size_t at = text.find(part);
    EXPECT_NE(at, std::string::npos) << part;
    text.replace(at, part.size(), instead);
    const auto parsed = parse_catalogue(text);
    return parsed ? "accepted" : parsed.error().message;
  };
  EXPECT_EQ(without("layers = 60", ""), "catalogue: 31b: layers is no number in range");
  EXPECT_EQ(without("window = 1024", "window = -1"),
            "catalogue: 31b: window is no number in range");
  EXPECT_EQ(without("bytes = 17_500_000_000", ""),
            "catalogue: 31b, file 1: bytes is no number in range");
  EXPECT_EQ(without("bytes = \"card\"", "bytes = \"a friend\""),
            "catalogue: 31b, file 1: bytes has no source");
  EXPECT_EQ(without("inputs = [", "outputs = ["), "catalogue: 31b: inputs is no list of words");
  EXPECT_EQ(without("format = 1", "format = 2"), "catalogue: no format 1 with sources and models");
  EXPECT_NE(parse_catalogue("a = ").error().message.find("line 1"), std::string::npos);
}

}  // namespace
}  // namespace nl::models
