#include "engine/launch.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "engine/fit_plan.h"
#include "engine/memory_rule.h"

namespace nl::engine {
namespace {

constexpr std::uint64_t kMiB = 1ULL << 20;
constexpr std::uint64_t kGiB = 1ULL << 30;

// Layers of a family in which every `every`-th sees everything.
GgufFacts family(std::uint32_t layers, std::uint32_t every, std::uint32_t window_heads,
                 std::uint32_t full_heads) {
  GgufFacts facts;
  facts.architecture = "gemma4";
  facts.block_count = layers;
  facts.context_length = 262144;
  facts.key_length = facts.value_length = 512;
  facts.window_key_length = facts.window_value_length = 256;
  facts.sliding_window = 1024;
  for (std::uint32_t i = 0; i < layers; ++i) {
    const bool full = (i + 1) % every == 0;
    facts.window_layers.push_back(full ? 0 : 1);
    facts.kv_heads.push_back(full ? full_heads : window_heads);
  }
  return facts;
}

GgufFacts e2b() {
  GgufFacts facts = family(35, 5, 1, 1);
  facts.sliding_window = 512;
  facts.context_length = 131072;
  facts.shared_kv_layers = 20;
  facts.tensor_bytes = 2900 * kMiB;
  return facts;
}
GgufFacts g12b() {
  GgufFacts facts = family(48, 6, 8, 1);
  facts.tensor_bytes = 6700 * kMiB;
  return facts;
}
GgufFacts g31b() {
  GgufFacts facts = family(60, 6, 16, 4);
  facts.tensor_bytes = 17500 * kMiB;
  return facts;
}

Machine with_memory(std::uint64_t bytes) {
  Machine machine;
  machine.memory_bytes = bytes;
  machine.physical_cores = 8;
  return machine;
}

Wanted some_model() {
  Wanted wanted;
  wanted.programs = {"/opt/llama-server"};
  wanted.model = "/m/x.gguf";
  return wanted;
}

TEST(Launch, checkpoints_are_as_large_as_measured) {
  EXPECT_EQ(checkpoint_bytes(e2b()), 6 * kMiB);
  EXPECT_EQ(checkpoint_bytes(g12b()), 320 * kMiB);
  EXPECT_EQ(checkpoint_bytes(g31b()), 800 * kMiB);
}

TEST(Launch, the_cache_grows_with_the_context_as_measured) {
  LaunchPlan plan;
  plan.slots = 1;
  plan.batch_tokens = 512;
  plan.context_tokens = 32768;
  const auto mib = [&](const GgufFacts& facts) { return kv_bytes(facts, plan) / kMiB; };
  EXPECT_NEAR(static_cast<double>(mib(e2b())), 0.20 * 1024, 8);
  EXPECT_NEAR(static_cast<double>(mib(g12b())), 0.97 * 1024, 8);
  EXPECT_NEAR(static_cast<double>(mib(g31b())), 3.67 * 1024, 16);
}

TEST(Launch, a_roomy_machine_gets_the_usual_plan) {
  const auto plan = plan_launch(some_model(), e2b(), with_memory(16 * kGiB), 0);
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(plan->program, "/opt/llama-server");
  EXPECT_EQ(plan->context_tokens, kContextUsual);
  EXPECT_EQ(plan->slots, 2);
  EXPECT_EQ(plan->checkpoints, 8);
  EXPECT_EQ(plan->threads, 7);
  EXPECT_EQ(plan->note, "");
  EXPECT_EQ(plan_launch(some_model(), g12b(), with_memory(32 * kGiB), 0)->checkpoints, 3);
  EXPECT_EQ(plan_launch(some_model(), g31b(), with_memory(64 * kGiB), 0)->checkpoints, 2);
}

TEST(Launch, a_tight_machine_gives_things_up_in_order) {
  std::string notes;
  std::uint32_t context = kContextUsual;
  for (std::uint64_t memory = 16 * kGiB; memory > 10 * kGiB; memory -= 64 * kMiB) {
    Wanted wanted = some_model();
    wanted.projector = "/m/mm.gguf";
    const auto plan = plan_launch(wanted, g12b(), with_memory(memory), 100 * kMiB);
    if (!plan) break;
    EXPECT_LE(plan->memory_bytes_needed, memory / 4 * 3);
    context = plan->context_tokens;
    if (notes.find(plan->note) == std::string::npos) notes += plan->note + "\n";
  }
  EXPECT_EQ(context, kContextMin);
  EXPECT_NE(notes.find("no cache"), std::string::npos) << notes;
  EXPECT_NE(notes.find("one slot"), std::string::npos) << notes;
  EXPECT_LT(notes.find("a shorter context"), notes.find("no images")) << notes;
}

TEST(Launch, what_cannot_fit_is_refused_with_the_numbers) {
  const auto plan = plan_launch(some_model(), g31b(), with_memory(16 * kGiB), 0);
  ASSERT_FALSE(plan);
  EXPECT_NE(plan.error().message.find("this machine can spare 12.0 GiB"), std::string::npos)
      << plan.error().message;
  Machine boxed = with_memory(64 * kGiB);
  boxed.memory_limit_bytes = 4 * kGiB;
  EXPECT_FALSE(plan_launch(some_model(), g12b(), boxed, 0));
}

TEST(Launch, the_self_test_model_fits_a_small_box) {
  GgufFacts facts = family(6, 6, 1, 1);
  facts.key_length = facts.value_length = 32;
  facts.window_key_length = facts.window_value_length = 32;
  facts.sliding_window = 512;
  facts.tensor_bytes = 3 * kMiB;
  Machine boxed = with_memory(64 * kGiB);
  boxed.memory_limit_bytes = 256 * kMiB;
  const auto plan = plan_launch(some_model(), facts, boxed, 0);
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(plan->context_tokens, kContextUsual);
}

TEST(Launch, a_context_that_was_asked_for_is_kept) {
  Wanted wanted = some_model();
  wanted.context_tokens = 65536;
  EXPECT_EQ(plan_launch(wanted, e2b(), with_memory(8 * kGiB), 0)->context_tokens, 65536U);
  wanted.context_tokens = 1U << 30U;
  EXPECT_EQ(plan_launch(wanted, e2b(), with_memory(64 * kGiB), 0)->context_tokens, 131072U);
}

TEST(Launch, files_of_the_wrong_kind_are_refused) {
  GgufFacts facts = e2b();
  facts.kind = GgufKind::projector;
  EXPECT_NE(
      plan_launch(some_model(), facts, with_memory(8 * kGiB), 0).error().message.find("mmproj"),
      std::string::npos);
  facts.kind = GgufKind::monolithic;
  EXPECT_NE(
      plan_launch(some_model(), facts, with_memory(8 * kGiB), 0).error().message.find("Ollama"),
      std::string::npos);
}

TEST(Launch, arguments_are_fixed) {
  LaunchPlan plan;
  plan.program = "/p";
  plan.model = "/m";
  plan.projector = "/mm";
  plan.cache_ram_mib = 100;
  std::string line;
  for (const std::string& argument : arguments(plan, "/s/e.sock")) line += argument + " ";
  EXPECT_EQ(line,
            "/p --model /m --mmproj /mm --host /s/e.sock --offline --no-ui --ctx-size 32768 "
            "--parallel 2 --kv-unified --batch-size 256 --ubatch-size 256 --threads 1 "
            "--ctx-checkpoints 8 --cache-ram 100 --slots --metrics --no-context-shift --jinja "
            "--no-prefill-assistant ");
  const auto options = needed_options();
  EXPECT_NE(std::find(options.begin(), options.end(), "--mmproj"), options.end());
  EXPECT_NE(std::find(options.begin(), options.end(), "--kv-unified"), options.end());
  EXPECT_EQ(std::find(options.begin(), options.end(), "32768"), options.end());
}

TEST(Machine, this_one_has_memory_and_cores) {
  const Machine machine = read_machine();
  EXPECT_GT(machine.memory_bytes, 100 * kMiB);
  EXPECT_GE(machine.physical_cores, 1);
  EXPECT_LT(memory_for_engine(machine), machine.memory_bytes);
  Machine boxed = with_memory(8 * kGiB);
  boxed.memory_limit_bytes = 2 * kGiB;
  EXPECT_EQ(memory_for_engine(boxed), kGiB * 3 / 2);
}

}  // namespace
}  // namespace nl::engine
