#include "models/size_choice.h"

#include <unistd.h>

#include "config/state_folder.h"
#include "engine/memory_speed.h"
#include "engine/probe.h"
#include "engine/speed_record.h"
#include "models/catalogue.h"
#include "models/engine_choice.h"
#include "models/model_record.h"
#include "models/ollama_presence.h"

namespace nl::models {
namespace {

using engine::Machine;

// Measured once: a second measurement would be a little different, and with it the choice.
engine::Bandwidth speed_here(const Machine& machine, const Environment& environment,
                             Measure measure) {
  const engine::SpeedRecord record(config::state_folder(environment) + "/memory-speed");
  const std::string hardware = engine::hardware_name(machine);
  const auto known = record.of(hardware);
  if (known && measure == Measure::once) return *known;
  const auto measured = engine::measure_memory(machine);
  if (!measured) return known.value_or(machine.memory_bandwidth);
  // Where it cannot be kept it is measured the next time as well.
  [[maybe_unused]] const auto kept = record.keep(hardware, *measured);
  return *measured;
}

// A pull that was broken off goes on, and one that is done is not repeated: neither makes the disk
// too full for its own model.
void credit_store(Machine& machine, const engine::ModelStore& store) {
  if (machine.disk_free_bytes > 0) machine.disk_free_bytes += store.unfinished_bytes();
  for (const engine::CatalogueModel& model : catalogue().models) {
    for (const engine::CatalogueFile& file : model.files) {
      if (find_record(store, file.pull)) machine.models_here.push_back(file.pull);
    }
  }
}

}  // namespace

Machine machine_for(const std::vector<std::string>& programs, const std::string& model_folder) {
  Machine machine = engine::read_machine(model_folder);
  // One that is still to be built is built for the GPU that is there.
  for (const std::string& program : programs) {
    if (machine.gpus.empty() || ::access(program.c_str(), X_OK) != 0) continue;
    machine.gpus_are_driven = engine::drives_gpus(program);
    break;
  }
  return machine;
}

Machine measured_machine(const Environment& environment, Measure measure) {
  const engine::ModelStore store = model_store(environment);
  Machine machine = machine_for(
      engine_programs(config::EngineConfig(), environment, program_folder()), store.folder());
  credit_store(machine, store);
  if (machine.memory_bandwidth.source == "assumed" && !machine.unified) {
    machine.memory_bandwidth = speed_here(machine, environment, measure);
  }
  machine.ollama_model = ollama_resident(environment);
  return machine;
}

std::string fit_record_path(const engine::ModelStore& store) {
  return store.folder().empty() ? "" : store.folder() + "/fit.txt";
}

engine::Rates rates_here(const engine::GgufFacts& facts, const engine::LaunchPlan& plan,
                         const Machine& machine, const engine::FitRecord& record) {
  const double share = facts.tensor_bytes == 0 ? 1
                                               : static_cast<double>(facts.active_bytes) /
                                                     static_cast<double>(facts.tensor_bytes);
  const auto active =
      static_cast<std::uint64_t>(share * static_cast<double>(facts.parameters) * facts.split_count);
  engine::Rates rates = engine::estimate_rates(facts, active, plan, machine);
  const auto known = record.rates_of(engine::lasting_name(plan.model));
  if (!known || known->read <= 0) return rates;
  rates.read = known->read;
  rates.write = known->write > 0 ? known->write : rates.write;
  rates.read_is_measured = true;
  if (machine.power != engine::PowerSource::battery) {
    rates.warm_conversations = engine::warm_conversations(rates.read, facts, plan);
  }
  return rates;
}

}  // namespace nl::models
