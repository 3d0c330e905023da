#include "doctor/local_tier.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace nl::doctor {
namespace {

namespace fs = std::filesystem;

LocalTierFacts good() {
  LocalTierFacts facts;
  facts.model = "gemma4:e4b";
  facts.engine_program = "/usr/bin/llama-server";
  facts.window_tokens = 32768;
  return facts;
}

std::vector<Kind> kinds_of(const Findings& findings) {
  std::vector<Kind> kinds;
  for (const Finding& finding : findings) kinds.push_back(finding.kind);
  return kinds;
}

TEST(LocalTier, AModelWithAWindowIsNoFinding) {
  EXPECT_TRUE(check_local_tier(good()).empty());
}

TEST(LocalTier, NothingButEmberIsNoLocalTier) {
  LocalTierFacts facts = good();
  facts.self_test = true;
  EXPECT_EQ(kinds_of(check_local_tier(facts)), std::vector<Kind>{Kind::no_local_model});
  facts.has_other = true;
  EXPECT_TRUE(check_local_tier(facts).empty());
  facts = good();
  facts.ember_chosen = true;
  EXPECT_EQ(kinds_of(check_local_tier(facts)), std::vector<Kind>{Kind::no_local_model});
  facts = good();
  facts.uses_engine = false;
  const Findings findings = check_local_tier(facts);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_NE(findings[0].fix.find("[tiers]"), std::string::npos);
}

TEST(LocalTier, EveryTroubleOfAModelIsNamed) {
  LocalTierFacts facts = good();
  facts.damaged = "m.gguf: cut off";
  facts.window_tokens = 0;
  EXPECT_EQ(kinds_of(check_local_tier(facts)), std::vector<Kind>{Kind::model_damaged});
  facts = good();
  facts.missing = "gemma4:26b is not here";
  EXPECT_EQ(kinds_of(check_local_tier(facts)), std::vector<Kind>{Kind::model_missing});
  facts = good();
  facts.does_not_fit = "needs 40 GB";
  EXPECT_EQ(kinds_of(check_local_tier(facts)), std::vector<Kind>{Kind::memory_small});
  facts = good();
  facts.incomplete = {"gemma4:12b"};
  facts.wrong_digests = {"gemma4:e2b"};
  const Findings findings = check_local_tier(facts);
  ASSERT_EQ(findings.size(), 2U);
  EXPECT_EQ(findings[0].fix, "nightlight pull gemma4:12b");
  EXPECT_EQ(findings[1].fix, "nightlight rm gemma4:e2b && nightlight pull gemma4:e2b");
}

TEST(LocalTier, WhoHoldsTheMemoryIsToldToLetGo) {
  LocalTierFacts facts = good();
  facts.held =
      "Ollama holds x:1 in memory: nothing is loaded beside it; `ollama stop x:1` makes room";
  const Findings findings = check_local_tier(facts);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].kind, Kind::memory_held);
  EXPECT_EQ(findings[0].fix, "ollama stop x:1");
}

TEST(LocalTier, TheEngineMustBeThereAndRun) {
  LocalTierFacts facts = good();
  facts.engine_program.clear();
  Findings findings = check_local_tier(facts);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].kind, Kind::engine_missing);
  EXPECT_EQ(findings[0].severity, Severity::fault);
  facts = good();
  facts.engine_trouble = "does not know --jinja";
  EXPECT_EQ(kinds_of(check_local_tier(facts)), std::vector<Kind>{Kind::engine_unfit});
}

TEST(LocalTier, ASmallWindowIsSaidBesideWhatAgentsSend) {
  LocalTierFacts facts = good();
  facts.window_tokens = 16384;
  Findings findings = check_local_tier(facts);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].kind, Kind::context_small);
  EXPECT_EQ(findings[0].severity, Severity::note);
  facts.short_form = false;
  EXPECT_EQ(check_local_tier(facts)[0].severity, Severity::warning);
  facts.short_form = true;
  facts.window_tokens = 8192;
  findings = check_local_tier(facts);
  EXPECT_EQ(findings[0].severity, Severity::warning);
  EXPECT_NE(findings[0].what.find("8192"), std::string::npos);
}

TEST(Machine, LimitsAreHeldAgainstWhatIsNeeded) {
  MachineFacts facts;
  EXPECT_TRUE(check_machine(facts).empty());
  facts.group_limit_bytes = 2'000'000'000;
  facts.swap = {4'000'000'000, 16'000'000'000, 1'000'000'000};
  facts.files = 512;
  facts.gpus = {"NVIDIA GeForce RTX 3090"};
  facts.gpus_are_driven = false;
  EXPECT_EQ(kinds_of(check_machine(facts)),
            (std::vector<Kind>{Kind::memory_limited, Kind::swap_in_use, Kind::files_few,
                               Kind::gpu_unused}));
  facts.files = 100;
  EXPECT_EQ(check_machine(facts)[2].severity, Severity::fault);
  // Swapped once, but there is room now.
  facts = MachineFacts();
  facts.swap = {4'000'000'000, 16'000'000'000, 12'000'000'000};
  facts.files = 1'048'576;
  EXPECT_TRUE(check_machine(facts).empty());
}

TEST(Machine, ProcIsReadBelowARoot) {
  const fs::path root = fs::temp_directory_path() / ("doctor-proc-" + std::to_string(getpid()));
  fs::create_directories(root / "proc/self");
  std::ofstream(root / "proc/meminfo") << "MemTotal:  1000 kB\nMemAvailable:   400 kB\n"
                                          "SwapTotal:   300 kB\nSwapFree:    100 kB\n";
  std::ofstream(root / "proc/self/limits")
      << "Limit                     Soft Limit           Hard Limit           Units     \n"
         "Max open files            256                  512                  files     \n";
  const SwapFacts swap = read_swap(root.string());
  EXPECT_EQ(swap.used_bytes, 200U * 1024);
  EXPECT_EQ(swap.memory_bytes, 1000U * 1024);
  EXPECT_EQ(swap.available_bytes, 400U * 1024);
  EXPECT_EQ(read_files_limit(root.string()), 512U);
  std::ofstream(root / "proc/self/limits") << "Max open files  1024  unlimited  files\n";
  EXPECT_FALSE(read_files_limit(root.string()));
  fs::remove_all(root);
  EXPECT_EQ(read_swap(root.string()).used_bytes, 0U);
}

TEST(Ollama, FourThousandTokensAreATrap) {
  OllamaFacts facts;
  facts.answers = true;
  facts.version = "0.33.1";
  facts.models = {{"gemma4:e4b", 32768}};
  EXPECT_TRUE(check_ollama(facts).empty());
  facts.models = {{"gemma4:e4b", 4096}};
  Findings findings = check_ollama(facts);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].kind, Kind::ollama_context);
  EXPECT_EQ(findings[0].severity, Severity::warning);
  EXPECT_NE(findings[0].what.find("4096"), std::string::npos);
  EXPECT_NE(findings[0].fix.find("OLLAMA_CONTEXT_LENGTH=32768"), std::string::npos);
  facts.window_is_stated = false;
  EXPECT_EQ(check_ollama(facts)[0].severity, Severity::fault);
  facts.models.clear();
  facts.context_setting = 4096;
  EXPECT_EQ(check_ollama(facts).size(), 1U);
  facts.answers = false;
  EXPECT_TRUE(check_ollama(facts).empty());
}

TEST(Ollama, AWindowThatNobodySaysIsAWarningWhereItCannotBeStated) {
  OllamaFacts facts;
  facts.answers = true;
  facts.version = "0.33.1";
  facts.models = {{"gemma4:e4b", 0}};
  EXPECT_TRUE(check_ollama(facts).empty());
  facts.window_is_stated = false;
  const Findings findings = check_ollama(facts);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].kind, Kind::ollama_context);
  EXPECT_EQ(findings[0].severity, Severity::warning);
  EXPECT_NE(findings[0].fix.find("dialect = \"ollama\""), std::string::npos);
  facts.context_setting = 65536;
  EXPECT_TRUE(check_ollama(facts).empty());
}

TEST(Ollama, AnOldOneDoesNotKnowTheFamily) {
  OllamaFacts facts;
  facts.answers = true;
  for (const char* old : {"0.19.9", "0.5.7"}) {
    facts.version = old;
    EXPECT_EQ(kinds_of(check_ollama(facts)), std::vector<Kind>{Kind::ollama_old}) << old;
  }
  for (const char* good : {"0.20.0", "0.33.1", "1.0.0", "0.0.0", "nightly"}) {
    facts.version = good;
    EXPECT_TRUE(check_ollama(facts).empty()) << good;
  }
}

}  // namespace
}  // namespace nl::doctor
