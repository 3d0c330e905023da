#include "engine/fit_plan.h"

#include <gtest/gtest.h>

#include "engine/memory_rule.h"

namespace nl::engine {
namespace {

constexpr std::uint64_t kGiB = 1ULL << 30;

// A model of 12 GiB, of which experts are 10, like the middle of a family.
GgufFacts with_experts() {
  GgufFacts facts;
  facts.architecture = "gemma4";
  facts.block_count = 30;
  facts.context_length = 262144;
  facts.embedding_length = 2816;
  facts.key_length = facts.value_length = 512;
  facts.window_key_length = facts.window_value_length = 256;
  facts.sliding_window = 1024;
  for (std::uint32_t i = 0; i < 30; ++i) {
    const bool full = (i + 1) % 6 == 0;
    facts.window_layers.push_back(full ? 0 : 1);
    facts.kv_heads.push_back(full ? 2 : 8);
  }
  facts.tensor_bytes = 12 * kGiB;
  facts.expert_bytes = 10 * kGiB;
  facts.experts = 128;
  facts.experts_used = 8;
  return facts;
}

Machine with_gpu(std::uint64_t memory, std::uint64_t gpu_memory) {
  Machine machine;
  machine.memory_bytes = memory;
  machine.physical_cores = 8;
  machine.gpus = {{"GPU", "cuda", gpu_memory, 0}};
  return machine;
}

Wanted some_model() {
  Wanted wanted;
  wanted.model = "/m/x.gguf";
  return wanted;
}

TEST(FitPlan, a_gpu_with_room_takes_it_whole_with_a_long_context) {
  const auto plan = plan_launch(some_model(), with_experts(), with_gpu(32 * kGiB, 24 * kGiB), 0);
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(plan->placement, Placement::devices);
  EXPECT_EQ(plan->context_tokens, 131072U);
  EXPECT_EQ(plan->batch_tokens, 512);
  const MemoryNeed need = memory_need(with_experts(), *plan, 0);
  EXPECT_LE(need.device, 23 * kGiB / 8 * 7);
  EXPECT_LT(need.host, 4 * kGiB);
}

TEST(FitPlan, experts_that_do_not_fit_stay_in_memory) {
  const Machine machine = with_gpu(32 * kGiB, 8 * kGiB);
  const auto plan = plan_launch(some_model(), with_experts(), machine, 0);
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(plan->placement, Placement::experts_in_memory);
  EXPECT_GT(plan->cpu_moe_layers, 0);
  EXPECT_LT(plan->cpu_moe_layers, 30);
  // As many as needed, and no more.
  EXPECT_LE(memory_need(with_experts(), *plan, 0).device, 7 * kGiB);
  LaunchPlan one_less = *plan;
  --one_less.cpu_moe_layers;
  EXPECT_GT(memory_need(with_experts(), one_less, 0).device, 7 * kGiB);
  const auto all = arguments(*plan, "/s");
  EXPECT_EQ(all[all.size() - 2], "--n-cpu-moe");
}

TEST(FitPlan, a_dense_model_too_large_for_the_gpu_lies_in_memory) {
  GgufFacts dense = with_experts();
  dense.expert_bytes = 0;
  const auto plan = plan_launch(some_model(), dense, with_gpu(32 * kGiB, 8 * kGiB), 0);
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(plan->placement, Placement::memory);
  EXPECT_EQ(plan->context_tokens, kContextUsual);
}

TEST(FitPlan, what_failed_before_bounds_the_next_attempt) {
  Machine machine;
  machine.memory_bytes = 64 * kGiB;
  machine.physical_cores = 8;
  Wanted wanted = some_model();
  std::uint64_t last = plan_launch(wanted, with_experts(), machine, 0)->memory_bytes_needed;
  int steps = 0;
  for (;; ++steps) {
    wanted.memory_bytes_most = last - 1;
    const auto plan = plan_launch(wanted, with_experts(), machine, 0);
    if (!plan) break;
    ASSERT_LT(plan->memory_bytes_needed, last);
    last = plan->memory_bytes_needed;
  }
  EXPECT_GE(steps, 4) << "cache, context, slots, checkpoints";
  EXPECT_LE(last, 14 * kGiB);
}

TEST(FitPlan, a_context_that_was_asked_for_is_kept_until_it_has_failed) {
  Machine machine;
  machine.memory_bytes = 64 * kGiB;
  machine.physical_cores = 8;
  Wanted wanted = some_model();
  wanted.context_tokens = 131072;
  std::string story;
  std::uint32_t context = 0;
  for (;;) {
    const auto plan = plan_launch(wanted, with_experts(), machine, 0);
    if (!plan) break;
    if (plan->context_tokens != context) story += std::to_string(plan->context_tokens) + " ";
    context = plan->context_tokens;
    EXPECT_EQ(plan->note.find("a shorter context") != std::string::npos, context < 131072U);
    wanted.memory_bytes_most = plan->memory_bytes_needed - 1;
  }
  // At the usual context and below, slots and projector count as well.
  EXPECT_TRUE(story.starts_with("131072 65536 32768 16384 ")) << story;
  EXPECT_TRUE(story.ends_with(" 8192 ")) << story;
}

TEST(FitPlan, rows_stay_on_disk_only_at_the_very_end) {
  GgufFacts facts = with_experts();
  facts.expert_bytes = 0;
  facts.tensor_bytes = 3 * kGiB;
  facts.lookup_bytes = kGiB;
  Machine machine;
  machine.memory_bytes = 5 * kGiB;
  EXPECT_EQ(plan_launch(some_model(), facts, machine, 0)->lazy, LazyRows::on);
  machine.memory_bytes = 16 * kGiB;
  EXPECT_EQ(plan_launch(some_model(), facts, machine, 0)->lazy, LazyRows::automatic);
}

TEST(FitPlan, what_was_not_in_the_way_is_given_back) {
  // The projector is what does not fit: with it gone, context and slots are whole again.
  Machine machine;
  machine.memory_bytes = 22 * kGiB;
  machine.physical_cores = 8;
  const auto plan = plan_launch(some_model(), with_experts(), machine, 4 * kGiB);
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(plan->context_tokens, kContextUsual);
  EXPECT_EQ(plan->slots, 2);
  EXPECT_EQ(plan->note, "memory is short: no cache of earlier prompts, no images");
}

}  // namespace
}  // namespace nl::engine
