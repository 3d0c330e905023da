// The GGUF pre-check: any bytes are either refused with a reason or give facts that keep their
// bounds. What follows in the file is never looked at, so a longer file claims no less.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "engine/chat_template.h"
#include "engine/fit_plan.h"
#include "engine/gguf.h"
#include "engine/launch.h"
#include "engine/machine.h"

namespace {

using nl::engine::GgufFacts;
using nl::engine::GgufKind;

void expect(bool holds) {
  if (!holds) std::abort();
}

void check_bounds(const GgufFacts& facts, std::size_t size) {
  expect(facts.file_bytes == size);
  expect(facts.tensor_bytes <= size);
  expect(!facts.architecture.empty());
  if (facts.kind == GgufKind::projector) return;
  expect(facts.block_count > 0 && facts.block_count <= nl::engine::kBlocksMax);
  expect(facts.window_layers.empty() || facts.window_layers.size() == facts.block_count);
  expect(facts.kv_heads.size() <= nl::engine::kBlocksMax);
  expect(facts.context_length > 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto facts = nl::engine::inspect_gguf_bytes(bytes, size);
  (void)nl::engine::check_chat_template(bytes);
  if (!facts) {
    expect(!facts.error().message.empty());
    return 0;
  }
  check_bounds(*facts, size);
  nl::engine::Machine machine;
  machine.memory_bytes = 64ULL << 30;
  machine.physical_cores = 8;
  const auto plan = nl::engine::plan_launch(nl::engine::Wanted(), *facts, machine, 0);
  if (plan) expect(plan->memory_bytes_needed <= nl::engine::memory_for_engine(machine));
  return 0;
}
