// What the memory rule says of a model file: memory_driver FILE CONTEXT SLOTS BATCH [lazy]
//
// One line per figure, in bytes; tests/engine/test_memory_rule.py compares them with the log of the
// real engine.
#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <string>

#include "engine/memory_rule.h"

namespace {

int number(const char* text) {
  const std::string digits = text;
  int value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) return 2;
  const auto facts = nl::engine::inspect_gguf(argv[1]);
  if (!facts) {
    fmt::print(stderr, "{}\n", facts.error().message);
    return 1;
  }
  nl::engine::LaunchPlan plan;
  plan.context_tokens = static_cast<std::uint32_t>(number(argv[2]));
  plan.slots = number(argv[3]);
  plan.batch_tokens = number(argv[4]);
  if (argc > 5) plan.lazy = nl::engine::LazyRows::on;
  plan.checkpoints = 0;
  fmt::print("weights {}\n", nl::engine::weight_bytes(*facts, plan));
  fmt::print("kv {}\n", nl::engine::kv_bytes(*facts, plan));
  fmt::print("checkpoint {}\n", nl::engine::checkpoint_bytes(*facts));
  fmt::print("compute {}\n", nl::engine::compute_bytes(*facts));
  fmt::print("active {}\n", facts->active_bytes);
  fmt::print("whole {}\n", nl::engine::memory_needed(*facts, plan, 0));
  return 0;
}
