// EngineChoice: which model the supervised engine is to run, and with which program.
//
// From [engine] and the machine: the model that the configuration names, else the newest pulled
// one, else the self-test model beside the program. Looks at files (header of the model, model
// store, folders of llama-server); starts nothing. A model that is missing or unusable is still a
// choice: the supervisor looks for it again, `trouble` tells people now.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/environment.h"
#include "chat/model.h"
#include "config/config.h"
#include "engine/launch.h"

namespace nl::models {

struct EngineChoice {
  engine::Wanted wanted;
  chat::ModelFacts model;  // as the planner sees it; its name is what `x-nightlight-model` says
  bool ember = false;
  // Nobody asked for the self-test model: it is all there is.
  bool self_test = false;
  bool eager = true;
  std::string trouble;  // why the model cannot run as things are; empty = nothing known
  // Three lines for people: machine, model with its real window, rates. Empty for the self-test.
  std::string explained;
  std::string fit_record;  // where what worked and what failed is remembered; empty = nowhere
  // Why nothing may be loaded this moment; "" = it may. Any thread.
  std::function<std::string()> occupied;
};

// `program_folder` is where this program is: a build tree or PREFIX/bin.
EngineChoice choose_engine(const config::EngineConfig& config, const Environment& environment,
                           const std::string& program_folder);

// Programs that the engine may be, best first.
std::vector<std::string> engine_programs(const config::EngineConfig& config,
                                         const Environment& environment,
                                         const std::string& program_folder);

// The folder of the running program; empty when it cannot be told.
std::string program_folder();

}  // namespace nl::models
