// The doctor's look at the engine, its model, and the machine that is to run it.
//
// Reads headers, runs the engine's program for its --help, asks an Ollama what it holds; starts
// nothing else. Blocks for some seconds; any thread.
#pragma once

#include <string>
#include <vector>

#include "app/doctor_look.h"
#include "base/environment.h"
#include "config/config.h"
#include "doctor/local_tier.h"

namespace nl::app {

struct EngineLook {
  doctor::LocalTierFacts tier;
  std::vector<std::string> programs;  // that the engine may be, best first
  std::vector<std::string> looked_at;
};
EngineLook look_at_engine(const config::Config& config, const Environment& environment,
                          const DoctorOrder& order);

doctor::Findings look_at_machine(const Environment& environment,
                                 const std::vector<std::string>& programs);

}  // namespace nl::app
