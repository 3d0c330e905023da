// The table of sizes: every size of the catalogue on one machine, for people and for programs.
//
// `nightlight models --fit` prints it. Pure; any thread.
#pragma once

#include <string>

#include "engine/pick_model.h"

namespace nl::models {

std::string sizes_text(const engine::Catalogue& catalogue, const engine::Machine& machine);
std::string sizes_json(const engine::Catalogue& catalogue, const engine::Machine& machine);

}  // namespace nl::models
