// The size table: what pick_model() takes on each machine of tests/golden/machines.toml.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "engine/pick_model.h"
#include "models/catalogue.h"
#include "models/machine_rows.h"

namespace nl::models {
namespace {

using engine::Machine;
using engine::Pick;
using engine::PickWants;

constexpr double kGiB = 1ULL << 30U;

std::string slurp(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// The start line behind what names files.
std::string options_of(const Pick& pick) {
  std::string line;
  const auto all = engine::arguments(pick.plan, "");
  bool begun = false;
  for (const std::string& argument : all) {
    begun = begun || argument == "--ctx-size";
    if (begun) line += (line.empty() ? "" : " ") + argument;
  }
  return line;
}

// What a row expects, as its lines are written.
std::string result_of(const Pick& pick) {
  if (pick.model == nullptr) return "pick = \"none\"\n";
  return fmt::format(
      "pick = \"{}\"\nwindow = {}\nslots = {}\nprojector = {}\nneeds = {:.1f}\nwrites = {:.0f}\n"
      "reads = {:.0f}\nwarm = {}\nhold = \"{}\"\nnote = \"{}\"\nstart = \"{}\"\n",
      pick.model->id, pick.plan.context_tokens, pick.plan.slots, pick.projector,
      static_cast<double>(pick.plan.memory_bytes_needed) / kGiB, pick.rates.write, pick.rates.read,
      pick.rates.warm_conversations, pick.hold, pick.plan.note, options_of(pick));
}

std::string expected_of(const toml::table& row) {
  const std::string id = row["pick"].value_or(std::string());
  if (id == "none") return "pick = \"none\"\n";
  const auto text = [&row](const char* key) { return row[key].value_or(std::string()); };
  return fmt::format(
      "pick = \"{}\"\nwindow = {}\nslots = {}\nprojector = {}\nneeds = {:.1f}\nwrites = {:.0f}\n"
      "reads = {:.0f}\nwarm = {}\nhold = \"{}\"\nnote = \"{}\"\nstart = \"{}\"\n",
      id, row["window"].value_or(0), row["slots"].value_or(0), row["projector"].value_or(false),
      row["needs"].value_or(0.0), row["writes"].value_or(0.0), row["reads"].value_or(0.0),
      row["warm"].value_or(0), text("hold"), text("note"), text("start"));
}

class MachineTable : public testing::Test {
 protected:
  MachineTable() : parsed_(toml::parse(slurp("tests/golden/machines.toml"))) {}
  std::vector<const toml::table*> rows() const {
    std::vector<const toml::table*> found;
    const toml::array* list = parsed_ ? parsed_.table()["machine"].as_array() : nullptr;
    for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
      found.push_back((*list)[i].as_table());
    }
    return found;
  }

  toml::parse_result parsed_;
  engine::Catalogue catalogue_ = catalogue();
};

TEST_F(MachineTable, EveryMachineGetsItsSize) {
  ASSERT_TRUE(parsed_) << parsed_.error();
  EXPECT_GE(rows().size(), 40U);
  for (const toml::table* row : rows()) {
    const Pick pick = engine::pick_model(catalogue_, machine_of(*row), wants_of(*row));
    EXPECT_EQ(result_of(pick), expected_of(*row)) << (*row)["name"].value_or(std::string());
  }
}

TEST_F(MachineTable, NoPlanTakesMoreThanThereIs) {
  for (const toml::table* row : rows()) {
    const Machine machine = machine_of(*row);
    const Pick pick = engine::pick_model(catalogue_, machine, wants_of(*row));
    if (pick.model == nullptr) continue;
    const auto host = static_cast<double>(engine::memory_for_engine(machine));
    const auto device = static_cast<double>(engine::device_memory_for_engine(machine));
    EXPECT_LE(static_cast<double>(pick.plan.memory_bytes_needed), host + device);
    EXPECT_GE(pick.plan.context_tokens, engine::kContextMin);
    if (pick.plan.placement == engine::Placement::memory) {
      EXPECT_LE(static_cast<double>(pick.plan.memory_bytes_needed), host);
    }
  }
}

TEST_F(MachineTable, MoreMemoryIsNeverWorse) {
  for (const bool unified : {false, true}) {
    std::size_t best = catalogue_.models.size();
    for (double memory = 1; memory <= 130; memory += 0.25) {
      Machine machine;
      machine.memory_bytes = gib(memory);
      machine.unified = unified;
      machine.physical_cores = 16;
      machine.memory_bandwidth = {400, "of the test"};
      const Pick pick = engine::pick_model(catalogue_, machine, PickWants());
      std::size_t rank = catalogue_.models.size();
      for (std::size_t i = 0; i < catalogue_.models.size(); ++i) {
        if (&catalogue_.models[i] == pick.model) rank = i;
      }
      EXPECT_LE(rank, best) << memory << " GiB";
      best = rank;
    }
    EXPECT_LT(best, 2U);
  }
}

TEST_F(MachineTable, AnExplanationHasThreeLinesAndBothWindows) {
  for (const toml::table* row : rows()) {
    const Pick pick = engine::pick_model(catalogue_, machine_of(*row), wants_of(*row));
    EXPECT_EQ(std::count(pick.explained.begin(), pick.explained.end(), '\n'), 3) << pick.explained;
    if (pick.model == nullptr) continue;
    EXPECT_NE(pick.explained.find("of nominal"), std::string::npos) << pick.explained;
    const char* const known = pick.rates.read_is_measured ? "(measured)" : "(an estimate from ";
    EXPECT_NE(pick.explained.find(known), std::string::npos) << pick.explained;
  }
}

TEST_F(MachineTable, WhatIsHereNeedsNoRoomOnTheDisk) {
  Machine machine;
  machine.memory_bytes = gib(32);
  machine.physical_cores = 8;
  machine.memory_bandwidth = {60, "of the test"};
  const Pick roomy = engine::pick_model(catalogue_, machine, PickWants());
  ASSERT_NE(roomy.model, nullptr);
  machine.disk_free_bytes = 5'000'000'000;
  const Pick tight = engine::pick_model(catalogue_, machine, PickWants());
  EXPECT_NE(tight.model, roomy.model);
  machine.models_here = {roomy.file->pull};
  EXPECT_EQ(engine::pick_model(catalogue_, machine, PickWants()).model, roomy.model);
}

TEST_F(MachineTable, AnOverviewTellsOfEverySize) {
  Machine machine;
  machine.memory_bytes = gib(16);
  machine.physical_cores = 8;
  machine.memory_bandwidth = {40, "of the test"};
  machine.disk_free_bytes = 12'000'000'000;
  const auto sizes = engine::fit_sizes(catalogue_, machine, PickWants());
  ASSERT_EQ(sizes.size(), 5U);
  std::string text;
  for (const auto& size : sizes) text += size.model->id + ": " + size.obstacle + "\n";
  EXPECT_EQ(text,
            "31b: needs 21.4 GB of memory\n26b: needs 16.0 GB of memory\n"
            "12b: writes about 3.6 tokens/s only\ne4b: \ne2b: \n");
}

}  // namespace
}  // namespace nl::models
