// The cheat sheet of twelve machines of the size table, as golden files of the terminal's form, and
// one page with everything on it as HTML. NL_GOLDEN=rewrite writes them; the diff is the review.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "app/cheatsheet_facts.h"
#include "app/policy.h"
#include "app/scores.h"
#include "app/task_lines.h"
#include "dialect/json.h"
#include "models/catalogue.h"
#include "models/machine_rows.h"
#include "sheet/html_sheet.h"
#include "sheet/pdf_sheet.h"
#include "sheet/sheet_text.h"
#include "sheet/terminal_sheet.h"
#include "work/task_store.h"

namespace nl::app {
namespace {

constexpr const char* kFolder = "tests/golden/cheatsheet/";

constexpr const char* kMachines[] = {
    "Raspberry Pi 4, 4 GB",       "Raspberry Pi 5, 8 GB", "a board with 2 GB",
    "8 GB laptop on battery",     "16 GB, no GPU",        "64 GB desktop, DDR5",
    "container of 4 GB on 64 GB", "16 GB unified",        "128 GB unified",
    "8 GB VRAM, 32 GB",           "24 GB VRAM, 64 GB",    "two GPUs of 24 GB, 128 GB"};

// A gateway at work: a limit at the vendor, the router answers, one conversation is warm.
constexpr const char* kStatus = R"({"version":"0.1.0","pid":7,"uptime_s":4000,"listen":[],
  "tiers":[{"tier":"frontier","state":"down","targets":[]},
           {"tier":"router","state":"up","targets":[]},
           {"tier":"local","state":"up","targets":[]}],
  "now":{"tier":"router","provider":"openrouter","model":"anthropic/claude-opus-5.5",
         "reason":"anthropic: limit reached, again in 2 h"},
  "engine":{"state":"ready","reason":"","note":"","model":"/m/gemma-4-26B.gguf","ember":false,
            "context":131072,"slots":2,"reads":4930.4,"writes":221.0,"warm":5},
  "standby":{"paused":"","reading":true,"conversations":[
    {"client":"claude-code","warm_to":"last_turn","tokens":41200,"warm_tokens":40960}]},
  "offline":false})";

std::string slurp(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

std::string as_file(const std::string& name) {
  std::string file;
  for (const char c : name) {
    const bool kept = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    const bool capital = c >= 'A' && c <= 'Z';
    if (kept || capital) {
      file += capital ? static_cast<char>(c - 'A' + 'a') : c;
    } else if (!file.empty() && file.back() != '_') {
      file += '_';
    }
  }
  return file;
}

void compare(const std::string& text, const std::string& file) {
  const char* mode = std::getenv("NL_GOLDEN");
  if (mode != nullptr && std::string_view(mode) == "rewrite") {
    std::ofstream(kFolder + file, std::ios::binary) << text;
  }
  EXPECT_EQ(text, slurp(kFolder + file)) << file;
}

PlanView plan_of(const std::vector<std::pair<const char*, const char*>>& variables) {
  Environment environment;
  environment.set("HOME", "/home/someone");
  for (const auto& [name, value] : variables) environment.set(name, value);
  const auto config = config::parse_config("", "nothing.toml", config::ConfigSource(), environment);
  EXPECT_TRUE(config) << config.error().message;
  models::EngineChoice engine;
  engine.ember = engine.self_test = true;
  engine.model.name = "ember";
  return make_plan_view(*config, make_routing(*config, &engine));
}

SheetSources sources_of(const toml::table& row) {
  SheetSources sources;
  sources.date = "2026-11-25";
  sources.catalogue = models::catalogue();
  sources.machine = models::machine_of(row);
  sources.wants = models::wants_of(row);
  sources.plan = plan_of({{"ANTHROPIC_API_KEY", "sk-ant-canary"}, {"OPENROUTER_API_KEY", "sk-or"}});
  sources.own_commands = {"ask", "tasks", "plan", "connect", "autostart", "doctor", "cheatsheet"};
  return sources;
}

// One that has everything: tasks, a running gateway, pulled models, texts of odd kinds.
SheetSources full_sources(const toml::table& row) {
  SheetSources sources = sources_of(row);
  sources.status_json = kStatus;
  sources.pulled = {{"gemma4:26b-a4b-it-qat", 4930, 221}, {"gemma4:e4b-it-q8_0", 300, 30}};
  sources.tasks = {
      {"weekly brief", "safe on Gemma 4 E4B", "gemma4:e4b", "2026-11-20"},
      {"caf\xc3\xa9 menu \xe6\x97\xa5\xe6\x9c\xac", "not yet: try 26B", "e4b", "2026-11-21"},
      {"<b>bold</b> & \"quotes\"", "safe", "gemma4:26b", "2026-11-22"},
      {std::string(120, 'w'), "one very long word", "gemma4:26b", "2026-11-22"}};
  return sources;
}

class Cheatsheet : public testing::Test {
 protected:
  Cheatsheet() : parsed_(toml::parse(slurp("tests/golden/machines.toml"))) {}
  const toml::table& row(const std::string& name) const {
    static const toml::table kNone;
    const toml::array* list = parsed_ ? parsed_.table()["machine"].as_array() : nullptr;
    for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
      const toml::table& one = *(*list)[i].as_table();
      if (one["name"].value_or(std::string()) == name) return one;
    }
    ADD_FAILURE() << "no machine is called " << name;
    return kNone;
  }
  toml::parse_result parsed_;
};

TEST_F(Cheatsheet, GoldenOfTwelveMachines) {
  for (const char* name : kMachines) {
    const sheet::Layout layout = sheet::make_layout(sheet_facts(sources_of(row(name))));
    const std::string text =
        sheet::terminal_sheet(layout, sheet::kTerminalWidth, sheet::Colour::none);
    compare(text, as_file(name) + ".txt");
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      EXPECT_LE(sheet::terminal_columns(line), 100U) << line;
    }
    const auto pdf = sheet::pdf_sheet(layout);
    EXPECT_TRUE(pdf) << name;
  }
}

TEST_F(Cheatsheet, GoldenOfEverythingAsHtml) {
  const auto facts = sheet_facts(full_sources(row("24 GB VRAM, 64 GB")));
  compare(sheet::html_sheet(sheet::make_layout(facts)), "everything.html");
}

TEST_F(Cheatsheet, TheSheetAgreesWithTheSizeTable) {
  for (const char* name : kMachines) {
    const toml::table& one = row(name);
    const auto facts = sheet_facts(sources_of(one));
    ASSERT_EQ(facts.sizes.size(), 5U);
    std::string pick = "none";
    for (const sheet::SizeLine& size : facts.sizes) {
      if (size.standing != sheet::Standing::pick) continue;
      pick = size.id;
      EXPECT_EQ(size.window, static_cast<std::uint32_t>(one["window"].value_or(0))) << name;
      EXPECT_NEAR(size.writes, one["writes"].value_or(0.0), 0.51) << name;
      EXPECT_NEAR(size.reads, one["reads"].value_or(0.0), 0.51) << name;
      EXPECT_EQ(size.warm, one["warm"].value_or(0)) << name;
      EXPECT_EQ(size.takes_images, one["projector"].value_or(false)) << name;
    }
    EXPECT_EQ(pick, one["pick"].value_or(std::string())) << name;
  }
}

// The hardware table against the choice itself: with that memory the usual window fits, with half
// of it no longer.
TEST_F(Cheatsheet, WhatASizeNeedsIsWhatTheChoiceAsks) {
  const auto sizes = models::catalogue();
  const auto facts = sheet_facts(sources_of(row("16 GB, no GPU")));
  ASSERT_EQ(facts.needs.size(), 5U);
  const auto runs = [&sizes](std::size_t size, double memory, bool unified) {
    engine::Machine machine;
    machine.memory_bytes = models::gib(memory);
    machine.unified = unified;
    machine.physical_cores = 8;
    machine.memory_bandwidth = {100, "of the test"};
    const auto fits = engine::fit_sizes(sizes, machine, engine::PickWants());
    const auto& plan = fits[size].plan;
    return plan && plan->context_tokens >= engine::kContextUsual && plan->slots == 2 &&
           fits[size].projector;
  };
  for (std::size_t i = 0; i < facts.needs.size(); ++i) {
    const sheet::NeedLine& need = facts.needs[i];
    EXPECT_TRUE(runs(i, need.memory_gb, false)) << need.title << " " << need.memory_gb;
    EXPECT_FALSE(runs(i, need.memory_gb / 2.0, false)) << need.title << " " << need.memory_gb;
    EXPECT_TRUE(runs(i, need.unified_gb, true)) << need.title << " " << need.unified_gb;
    EXPECT_FALSE(runs(i, need.unified_gb / 2.0, true)) << need.title << " " << need.unified_gb;
    EXPECT_GT(need.gpu_gb, 0);
  }
  EXPECT_EQ(facts.needs.back().memory_gb, 8);
}

TEST_F(Cheatsheet, SaysWhatASizeDoesNotTakeAndWhatTheScoresHide) {
  const auto facts = sheet_facts(sources_of(row("64 GB desktop, DDR5")));
  const std::string text =
      sheet::terminal_sheet(sheet::make_layout(facts), 100, sheet::Colour::none);
  for (const sheet::NeedLine& need : facts.needs) {
    const bool hears = std::ranges::count(need.inputs, "audio") > 0;
    EXPECT_EQ(hears, need.title != "Gemma 4 26B-A4B" && need.title != "Gemma 4 31B") << need.title;
  }
  for (const char* words : {"68.2", "85.5", "Beware:", "Sources:", "not like for like"}) {
    EXPECT_NE(text.find(words), std::string::npos) << words;
  }
  EXPECT_EQ(text.find("canary"), std::string::npos);
}

TEST_F(Cheatsheet, MeasuredRatesStandInForEstimatesOfThatFileOnly) {
  const auto facts = sheet_facts(full_sources(row("24 GB VRAM, 64 GB")));
  for (const sheet::SizeLine& size : facts.sizes) {
    EXPECT_EQ(size.on_disk, size.id == "26b" || size.id == "e4b") << size.id;
    EXPECT_EQ(size.rates == sheet::Known::measured, size.id == "26b") << size.id;
    if (size.id == "26b") {
      EXPECT_EQ(size.reads, 4930);
      EXPECT_EQ(size.writes, 221);
    }
  }
}

TEST_F(Cheatsheet, TellsOfNoCommandThatIsNotThere) {
  SheetSources sources = sources_of(row("16 GB, no GPU"));
  sources.own_commands = {"cheatsheet"};
  for (const sheet::CommandLine& line : sheet_facts(sources).commands) {
    EXPECT_EQ(line.words.find("ask"), std::string::npos);
    EXPECT_EQ(line.words.find("doctor"), std::string::npos);
  }
}

TEST_F(Cheatsheet, IsJsonForPrograms) {
  for (const auto& sources :
       {full_sources(row("24 GB VRAM, 64 GB")), sources_of(row("a board with 2 GB"))}) {
    const std::string json = sheet_json(sheet_facts(sources));
    dialect::Document document;
    const auto parsed = document.parse(json);
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ(document.root()["sizes"].size(), 5U);
    EXPECT_EQ(document.root()["needs"].size(), 5U);
    EXPECT_EQ(document.root()["tasks"].size(), sources.tasks.size());
    EXPECT_EQ(json.find("canary"), std::string::npos);
  }
}

TEST(TaskLines, AreWhatIsKeptAndNothingOfADamagedFile) {
  const auto lines = task_lines(
      R"json({"readiness":[{"task":"brief","label":"summarisation","verdict":"safe","good":3,"of":3,
          "words":"safe on Gemma 4 E4B (3 of 3 good enough, by you, 2026-11-25)",
          "model":"gemma4:e4b","date":"2026-11-25"},{"words":"no name"},{"task":"x"}]
})json");
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].name, "brief");
  EXPECT_EQ(lines[0].readiness, "safe on Gemma 4 E4B (3 of 3 good enough, by you, 2026-11-25)");
  EXPECT_EQ(lines[0].model, "gemma4:e4b");
  EXPECT_EQ(lines[0].date, "2026-11-25");
  for (const char* text : {"", "{", "[]", "{\"readiness\":7}", "null"}) {
    EXPECT_TRUE(task_lines(text).empty()) << text;
  }
  EXPECT_TRUE(read_task_lines("/nonexistent").empty());
}

TEST(TaskLines, ATaskThatNobodyHasJudgedIsOnTheSheet) {
  const std::string folder = testing::TempDir() + fmt::format("task_lines_{}", getpid());
  work::Task task;
  task.name = "replies";
  task.prompt = "Answer this.";
  task.examples = {{"a mail", ""}};
  ASSERT_TRUE(work::TaskStore(folder + "/tasks").add(task, {}));
  const auto lines = read_task_lines(folder);
  std::filesystem::remove_all(folder);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].name, "replies");
  EXPECT_EQ(lines[0].readiness, "not judged yet: nightlight tasks run");
}

TEST(Scores, AreWholeAndEveryFigureHasASource) {
  const auto scores = parse_scores(kScoresText);
  ASSERT_TRUE(scores) << scores.error().message;
  EXPECT_EQ(scores->benchmarks.size(), 7U);
  EXPECT_EQ(scores->lines.size(), 6U);
  const std::string good(kScoresText);
  const auto with = [&good](const std::string& part, const std::string& instead) {
    std::string text = good;
    text.replace(text.find(part), part.size(), instead);
    const auto parsed = parse_scores(text);
    return parsed ? "accepted" : parsed.error().message;
  };
  EXPECT_EQ(with("tau2 = \"release\", ", ""), "scores: 31B: tau2 has no source");
  EXPECT_EQ(with("tau2 = \"release\"", "tau2 = \"a friend\""), "scores: 31B: tau2 has no source");
  EXPECT_EQ(with("[\"unnamed\", ", "[\"unknown\", "), "scores: no caveat is called unknown");
  EXPECT_EQ(with("tau2 = 76.9", "tau2 = 176.9"), "scores: 31B: tau2 is no score");
  EXPECT_EQ(with("format = 1", "format = 2"), "scores: no format 1 with benchmarks and models");
}

}  // namespace
}  // namespace nl::app
