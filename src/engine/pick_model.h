// pick_model: which size of a family this machine runs, with how much context, and why.
//
// A pure function of the catalogue, the machine and what is wanted: the largest quality that fits
// by the memory rule, writes fast enough and has room on the disk; what the plan gives up follows
// fit_plan's order before the next smaller size is taken. Rates are estimates until they have been
// measured here, and are said to be. Knows no conversation and no file. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/catalogue.h"
#include "engine/fit_plan.h"

namespace nl::engine {

inline constexpr double kWriteLeast = 8;  // tokens/s; the smallest size may be slower

// What people ask for beyond "something that runs".
struct PickWants {
  std::uint32_t context_tokens = 0;  // 0 = what suits
  int slots = kSlotsUsual;
  bool images = true;        // given up before a smaller size is taken
  std::string id;            // that size and no other; empty = the best
  double read_measured = 0;  // tokens/s of that size here, if known
};

struct Rates {
  double write = 0;  // tokens/s
  double read = 0;
  bool read_is_measured = false;
  int warm_conversations = 0;  // that standby can keep read at that rate
};

struct Pick {
  const CatalogueModel* model = nullptr;  // of the catalogue that was asked; null = nothing fits
  const CatalogueFile* file = nullptr;
  LaunchPlan plan;  // without paths
  bool projector = false;
  Rates rates;
  std::string hold;       // why it must not be loaded now; empty = it may
  std::string explained;  // three lines for people
};

Pick pick_model(const Catalogue& catalogue, const Machine& machine, const PickWants& wants);

// One line per size: whether and how it runs here, for people who want to choose by themselves.
struct SizeFit {
  const CatalogueModel* model = nullptr;
  std::optional<LaunchPlan> plan;  // nothing = does not fit
  bool projector = false;
  Rates rates;
  std::uint64_t needs = 0;  // of memory, by its plan or by the least one
  std::string obstacle;     // why it would not be picked; empty = it could be
};
std::vector<SizeFit> fit_sizes(const Catalogue& catalogue, const Machine& machine,
                               const PickWants& wants);

// A model that runs under a plan, chosen or somebody's own, for people.
struct Explained {
  std::string title;
  std::uint32_t nominal_context = 0;
  const LaunchPlan& plan;
  const Rates& rates;
  std::string hold;
};
// Three lines: the machine; the model with its real window beside the nominal one; the rates.
std::string explain(const Explained& explained, const Machine& machine);

// Estimates for a model under a plan.
Rates estimate_rates(const GgufFacts& facts, std::uint64_t active_parameters,
                     const LaunchPlan& plan, const Machine& machine);
// Conversations of agents that an engine with that rate can keep read while they grow, at most as
// many as the plan can hold.
int warm_conversations(double read_rate, const GgufFacts& facts, const LaunchPlan& plan);

// What the disk must have free for a file: a tenth more, and 2 GB.
std::uint64_t disk_needed(std::uint64_t file_bytes);

}  // namespace nl::engine
