// The size of Gemma 4 for this machine: what the choice is made from, gathered.
//
// Reads the system, the model store's disk and an Ollama's state, and keeps the speed of memory in
// the state folder; starts nothing. Main thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/environment.h"
#include "engine/fit_record.h"
#include "engine/machine.h"
#include "engine/model_store.h"
#include "engine/pick_model.h"

namespace nl::models {

// This machine, with its memory's speed measured where no table has it (a tenth of a second, and
// only once on the same hardware unless asked), and with what Ollama holds.
enum class Measure : std::uint8_t { once, anew };
engine::Machine measured_machine(const Environment& environment, Measure measure = Measure::once);

// This machine as the first of `programs` that is there can use it. `model_folder` as
// read_machine() takes it.
engine::Machine machine_for(const std::vector<std::string>& programs,
                            const std::string& model_folder);

// What was tried here before: a file beside the models. Of no use without a model store.
std::string fit_record_path(const engine::ModelStore& store);

// Rates of a model's header under a plan: as measured here, else estimated.
engine::Rates rates_here(const engine::GgufFacts& facts, const engine::LaunchPlan& plan,
                         const engine::Machine& machine, const engine::FitRecord& record);

}  // namespace nl::models
