// The first thirty minutes: what is to be done until the fallback can be trusted, in order, and
// how far this machine is.
//
// A step is done when what it leaves behind is there (a model, tasks, a comparison) or, where
// nothing stays, when its command has once ended well (StepRecord). Pure, but for the record's
// file.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace nl::app {

enum class StepId : std::uint8_t { model, ask, tasks, compare, order, drill, sheet };
inline constexpr int kSteps = 7;
// Fewer fallback tasks than that do not carry a day, more are not looked after.
inline constexpr std::size_t kTasksLeast = 3;

std::string_view name(StepId id);
std::optional<StepId> step_named(std::string_view name);

// By step, when its command ended well: "2026-11-25".
using StepRecord = std::map<StepId, std::string>;

// Reads `path`; a file that is missing is an empty record. Errors: config (with its line), io.
Result<StepRecord> read_steps(const std::string& path);
// Replaces the file. Errors: io.
Result<void> write_steps(const std::string& path, const StepRecord& record);

struct StepFacts {
  std::string model;         // what answers locally: "gemma4:e4b"; empty = no real model
  std::string choice;        // what `pull` would get: "Gemma 4 E4B, 5.2 GB"; empty = nothing fits
  std::size_t tasks = 0;     // the user's own
  std::size_t compared = 0;  // of these, with a verdict on the local tier
  StepRecord record;
};

struct Step {
  StepId id = StepId::model;
  bool done = false;
  std::string said;  // "gemma4:e4b is here", "0 of 3 tasks named"
  std::string
      command;      // as a person types it, without the program: "pull", "ask FILE \"QUESTION\""
  int minutes = 0;  // what it usually takes
};

std::vector<Step> first_steps(const StepFacts& facts);
// The first that is not done; nothing = all are.
std::optional<Step> next_step(const std::vector<Step>& steps);

// The list for people, and for programs.
std::string steps_text(const std::vector<Step>& steps);
std::string steps_json(const std::vector<Step>& steps, const std::vector<std::string>& here);

}  // namespace nl::app
