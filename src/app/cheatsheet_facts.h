// What the cheat sheet tells, from what the program knows: the way from sources to SheetFacts that
// the command and its golden files share.
//
// Reads nothing: the command gathers the sources, a test writes them by hand. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "app/plan_view.h"
#include "engine/catalogue.h"
#include "engine/machine.h"
#include "engine/pick_model.h"
#include "sheet/sheet_facts.h"

namespace nl::app {

// A model of the store, as far as the sheet cares.
struct PulledModel {
  std::string name;
  double reads = 0;  // tokens/s; 0 = not loaded yet
  double writes = 0;
};

struct SheetSources {
  std::string date;
  engine::Catalogue catalogue;
  engine::Machine machine;
  engine::PickWants wants;
  std::vector<PulledModel> pulled;  // the newest first
  PlanView plan;
  std::string status_json;  // of the running gateway; empty = none runs
  std::vector<sheet::TaskLine> tasks;
  std::vector<std::string> own_commands;  // names: a command that is not there is not told of
};

sheet::SheetFacts sheet_facts(const SheetSources& sources);

// For programs; ends with a line end.
std::string sheet_json(const sheet::SheetFacts& facts);

}  // namespace nl::app
