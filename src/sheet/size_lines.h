// What the sheet says of each size of the catalogue: on this machine, and on any.
//
// Asks the engine's own choice of a size and its memory rule, so that the sheet, `models --fit` and
// the start of an engine agree. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "engine/catalogue.h"
#include "engine/machine.h"
#include "engine/pick_model.h"
#include "sheet/sheet_facts.h"

namespace nl::sheet {

// What has been seen of a size here: that a file of it is there, and its rates once it was loaded.
struct SeenSize {
  std::string id;
  double reads = 0;  // tokens/s; 0 = never measured
  double writes = 0;
};

struct SizesQuestion {
  const engine::Catalogue& catalogue;
  const engine::Machine& machine;
  const engine::PickWants& wants;
  std::vector<SeenSize> seen;
};

// Fills about, hold, sizes and needs of `facts`.
void add_sizes(SheetFacts& facts, const SizesQuestion& question);

// The smallest usual machines for each size, the best size first.
std::vector<NeedLine> hardware_needs(const engine::Catalogue& catalogue);

}  // namespace nl::sheet
