// fit_plan: finds the plan under which a model runs on a machine, or says that there is none.
//
// One order for every model, chosen or somebody's own: where it lies (GPUs, GPU with experts in
// memory, memory), and for each place how much is given up: nothing; the cache of earlier prompts;
// then context to 16 k, slots to 1, no projector, one checkpoint; at last 8 k and rows from disk.
// What turns out not to be in the way is given back. A context that somebody asked for is kept
// whole; once it has failed here it is halved as well, as fewer tokens are better than none. Pure;
// any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"
#include "engine/gguf.h"
#include "engine/launch.h"
#include "engine/machine.h"

namespace nl::engine {

// How much may be given up. Each grade includes those before it.
enum class Effort : std::uint8_t {
  roomy,   // everything, with the context that the place can read in reasonable time
  usual,   // the usual context; the cache of earlier prompts may go
  shrunk,  // 16 k of context, one slot, no projector, one checkpoint
  last,    // 8 k, rows from disk
};

// What the machine can spare, once the bound of what failed before is heeded.
struct Rooms {
  std::uint64_t host = 0;
  std::uint64_t device = 0;
  std::uint64_t both = 0;  // 0 = no bound but those two
};
Rooms rooms_of(const Machine& machine, std::uint64_t memory_bytes_most);

struct FitQuestion {
  const GgufFacts& facts;
  const Machine& machine;
  std::uint64_t projector_bytes = 0;  // 0 = none
  std::uint32_t context_tokens = 0;   // asked for, and kept whole until it failed; 0 = what suits
  int slots = kSlotsUsual;
  Rooms rooms;
};

// The plan for one place and one effort; `model` and `projector` are left to the caller, but for
// `projector` being given up, which `note` and `keeps_projector` say.
struct FitResult {
  LaunchPlan plan;
  bool keeps_projector = false;
};
std::optional<FitResult> fit(const FitQuestion& question, Placement placement, Effort effort);

// Whether a machine has such a place for such a model at all.
bool offers(const Machine& machine, const GgufFacts& facts, Placement placement);

// A plan for somebody's model: the best place, the least effort. `projector_bytes` is the size of
// the projector's file, 0 without one. Errors: config (a file of the wrong kind, or more memory
// than there is; the message says what to do).
Result<LaunchPlan> plan_launch(const Wanted& wanted, const GgufFacts& facts, const Machine& machine,
                               std::uint64_t projector_bytes);

}  // namespace nl::engine
